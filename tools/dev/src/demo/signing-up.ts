import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Graph } from '../graph.ts';
import type { Screen } from '../screen.ts';

const ASK_EVERY_MS = 250;

const PEOPLE = [
  ['Ada', 'Marsh'],
  ['Grace', 'Okafor'],
  ['Linus', 'Berg'],
] as const;

const ReferralUser = z.object({
  id: z.string(),
  delivery: z.object({
    state: z.string(),
    reason: z.string().nullable(),
    lead: z.object({ pipedriveUrl: z.string().nullable() }).nullable(),
  }),
});
const USER_FIELDS = 'id delivery { state reason lead { pipedriveUrl } }';

/** Signs the demo's people up and tells where their leads are. */
export async function signPeopleUp(options: {
  graph: Graph;
  campaignId: string;
  screen: Screen;
  signal: AbortSignal;
}): Promise<void> {
  const { graph, campaignId, screen, signal } = options;
  for (const [firstName, lastName] of PEOPLE) {
    const email = `${firstName}.${lastName}@example.org`.toLowerCase();
    const { signUp } = await graph(
      `mutation ($input: SignUpInput!) { signUp(input: $input) { created referralUser { ${USER_FIELDS} } } }`,
      { input: { campaignId, email, firstName, lastName } },
      z.object({ signUp: z.object({ created: z.boolean(), referralUser: ReferralUser }) }),
    );
    let user = signUp.referralUser;
    while (user.delivery.state === 'QUEUED') {
      signal.throwIfAborted();
      screen.progress(`Signing up ${firstName} ${lastName} …`);
      await sleep(ASK_EVERY_MS);
      const asked = await graph(
        `query ($id: ID!) { referralUser(id: $id) { ${USER_FIELDS} } }`,
        { id: user.id },
        z.object({ referralUser: ReferralUser }),
      );
      user = asked.referralUser;
    }
    if (!signUp.created) continue;
    const where = user.delivery.lead?.pipedriveUrl ?? user.delivery.reason ?? '';
    screen.say(`Signed up ${firstName} ${lastName}: ${user.delivery.state.toLowerCase()} ${where}`);
  }
}
