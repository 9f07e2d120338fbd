export { boundMessaging as up } from '@manifold/messaging';
