// What stands behind the gateway.
import { fromFileOnly } from '../kinds.ts';
import type { Setting } from '../setting.ts';

const isObjectList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);

export const behind: readonly Setting[] = [
  {
    name: 'routes',
    kind: fromFileOnly('a list of routes', isObjectList),
    group: 'behind it',
    byDefault: 'only /auth',
    about: 'What the gateway forwards, where to, and who may: see docs/architecture.md.',
  },
  {
    name: 'services',
    kind: fromFileOnly('a list of services', isObjectList),
    group: 'behind it',
    byDefault: 'none',
    about: 'Programs that `latchkey start` runs beside the gateway: { name, entry, env?, port? }.',
  },
];
