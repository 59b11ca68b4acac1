// What of the environment each child is given. Only the auth server may see secrets; services are other people's
// programs and get nothing of ours but what they are told.
import { settings } from '../settings/table.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Without any LATCHKEY_* variable, except those that steer Node.js itself. */
export function environmentForOthers(environment: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('LATCHKEY_')));
}

/** The settings of this run as variables, so that the child reads the same ones; flags and chosen ports included. */
export function environmentForAuth(
  environment: Environment,
  chosen: Readonly<Record<string, unknown>>,
): Record<string, string | undefined> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(chosen)) {
    const variable = settings.find((setting) => setting.name === name)?.env;
    if (variable !== undefined && value !== undefined) own[variable] = String(value);
  }
  return { ...environment, ...own };
}
