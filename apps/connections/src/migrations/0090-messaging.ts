export { extendMessaging as up } from '@manifold/messaging';
