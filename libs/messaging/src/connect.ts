import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';

/**
 * Connects and stays connected: waits for a broker that is not up yet and reconnects for ever.
 * Replies come to an inbox of this service alone (`_INBOX_<service>`), so nobody reads another's.
 * User and password may stand in the URL.
 */
export async function connectNats(options: {
  url: string;
  service: string;
  log: Logger;
}): Promise<NatsConnection> {
  const { url, service, log } = options;
  const { host, username, password } = new URL(url.includes('://') ? url : `nats://${url}`);
  const nats = await connect({
    servers: host,
    name: service,
    inboxPrefix: inboxPrefixOf(service),
    maxReconnectAttempts: -1,
    // a broker that is being set up may refuse us for a while: that must not close the connection for good
    ignoreAuthErrorAbort: true,
    waitOnFirstConnect: true,
    reconnectTimeWait: 500,
    reconnectJitter: 200,
    pingInterval: 20_000,
    ...(username === ''
      ? {}
      : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
  });
  void reportStatus(nats, log).catch((error: unknown) =>
    log.warn({ err: error }, 'state of the broker connection not followed'),
  );
  return nats;
}

/** Names the connection to the broker as it now is; another after each reconnect, none while it is lost. */
export const sessionOf = ({ info }: NatsConnection): string | undefined =>
  info && `${info.server_id}.${info.client_id}`;

/** Subject prefix of the replies one service receives. */
export const inboxPrefixOf = (service: string): string => `_INBOX_${service}`;

async function reportStatus(nats: NatsConnection, log: Logger): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === 'disconnect') log.warn('broker connection lost, reconnecting');
    if (status.type === 'reconnect') log.info('broker connection restored');
    if (status.type === 'error') log.warn({ err: status.error }, 'broker refused something');
  }
}

/** True when the broker answers within a second; for readiness. */
export async function brokerAnswers(nats: NatsConnection): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(resolve, 1_000, false).unref());
  const answered = nats.flush().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]);
}
