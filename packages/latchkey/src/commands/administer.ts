// The frame of every command that administers: read the settings, open the admin API, do the work, close it again.
import { type Admin, openAdmin } from '../admin/admin.ts';
import { readSettings } from '../settings/settings.ts';
import type { Input } from './command.ts';

export async function withAdmin(input: Input, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = await openAdmin(await readSettings({ flags: input.flags }));
  try {
    await work(admin);
  } finally {
    await admin.close();
  }
}
