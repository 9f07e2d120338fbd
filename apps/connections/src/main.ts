import { runService } from '@manifold/service';
import { config } from './config.ts';
import { startConnections } from './start.ts';

await runService('connections', async ({ log, onStop }) => {
  await startConnections({ env: config(), log, onStop });
});
