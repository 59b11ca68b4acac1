export { createGateway, type Gateway, type GatewayAddresses } from './gateway.ts';
export type { Access, GatewayOptions, GatewayVerifier, Logger, Rate, Route } from './options.ts';
export { ConfigurationError, checkGatewayOptions } from './options_check.ts';
