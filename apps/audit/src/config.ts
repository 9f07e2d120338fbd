import { readConfig, serviceEnvironment } from '@manifold/service';

/** The environment of the audit service. */
export const config = () => readConfig(serviceEnvironment);
