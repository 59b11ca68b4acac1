export { type Config, type Duration, defineConfig, type ServiceConfig } from './settings/config.ts';
