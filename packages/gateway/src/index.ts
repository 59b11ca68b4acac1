export { createGateway, type Gateway } from './gateway.ts';
export type { Access, GatewayOptions, GatewayVerifier, Logger, Rate, Route } from './options.ts';
export { ConfigurationError, checkGatewayOptions } from './options_check.ts';
export type { GatewayAddresses } from './servers.ts';
