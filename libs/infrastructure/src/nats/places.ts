import { join } from 'node:path';

/** Where a nats-server is looked for, and kept. */
export type NatsPlaces = {
  /** Searched after PATH; Debian installs servers where few PATHs look. */
  systemDirs: string[];
  /** Keeps what was taken from Debian. */
  cacheDir: string;
  /** Where the machine's package sources are written down. */
  aptDir: string;
};

/** The places of this machine and this repository. */
export const natsPlaces = (): NatsPlaces => ({
  systemDirs: ['/usr/local/sbin', '/usr/sbin'],
  cacheDir: join(import.meta.dirname, '../../../../.cache'),
  aptDir: '/etc/apt',
});

/** Folders of PATH, in order. */
export const searchPath = (env: NodeJS.ProcessEnv): string[] =>
  (env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'));
