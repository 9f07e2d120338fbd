import { readConfig, serviceEnvironment } from '@manifold/service';

export const config = () => readConfig(serviceEnvironment);
