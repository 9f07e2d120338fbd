/** An account on the server and the subjects it may use; wildcards as NATS has them. */
export type NatsUser = {
  user: string;
  password: string;
  publish: string[];
  subscribe: string[];
  /** Wins over `publish`. */
  publishDenied?: string[];
  /** May also answer a request it received, whatever inbox the answer goes to: once, within two minutes. */
  mayReply?: boolean;
};

export type NatsSettings = {
  /** Address to listen at; 127.0.0.1 when absent. */
  host?: string;
  /** 0: any free one. */
  port: number;
  /** Absent: no monitoring. 0: any free one. */
  monitorPort: number | undefined;
  storeDir: string;
  /** Where the server writes its addresses and its pid down; absent: nowhere. */
  portsDir?: string;
  pidFile?: string;
  durable: boolean;
  /** Upper bound of all streams' `max_bytes` together; 10 GiB when absent. */
  maxFileStoreBytes?: number | undefined;
  /** Absent: no authorization. */
  users: NatsUser[] | undefined;
  /** Whose permissions a client without credentials gets. Absent: none, it is refused. */
  anonymousUser?: string | undefined;
};

const REPLY_WINDOW = '2m';
const MAX_MEMORY_STORE_BYTES = 64 * 1024 ** 2;
const MAX_FILE_STORE_BYTES = 10 * 1024 ** 3;

/** The server's configuration file. NATS reads JSON; quoted strings are taken as they are, `$` included. */
export function natsConfig(settings: NatsSettings): string {
  const { host = '127.0.0.1', port, monitorPort, durable, users, pidFile, portsDir } = settings;
  const config = {
    server_name: 'manifold',
    listen: `${host}:${portOf(port)}`,
    ...(monitorPort !== undefined && { http: `127.0.0.1:${portOf(monitorPort)}` }),
    ...(pidFile !== undefined && { pid_file: pidFile }),
    ...(portsDir !== undefined && { ports_file_dir: portsDir }),
    jetstream: {
      store_dir: settings.storeDir,
      max_file_store: settings.maxFileStoreBytes ?? MAX_FILE_STORE_BYTES,
      max_memory_store: MAX_MEMORY_STORE_BYTES,
      // acknowledged means on disk; the server's own default is every two minutes
      ...(durable && { sync_interval: 'always' }),
    },
    ...(users !== undefined && { authorization: { users: users.map(userEntry) } }),
    ...(settings.anonymousUser !== undefined && { no_auth_user: settings.anonymousUser }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

const userEntry = ({
  user,
  password,
  publish,
  subscribe,
  publishDenied = [],
  mayReply = false,
}: NatsUser) => ({
  user,
  password,
  permissions: {
    publish: permission(publish, publishDenied),
    subscribe: permission(subscribe, []),
    ...(mayReply && { allow_responses: { max: 1, expires: REPLY_WINDOW } }),
  },
});

/** An empty list would mean "everything" to the server. */
const permission = (allow: string[], deny: string[]) =>
  allow.length === 0 ? { deny: ['>'] } : { allow, ...(deny.length > 0 && { deny }) };

const portOf = (port: number): number => (port === 0 ? -1 : port);
