import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../packages/server/src/storage/sqlite.ts';
import { movedClock } from '../support/clock.ts';
import { storageSuite } from './storage_suite.ts';

storageSuite('SQLite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lk-storage-'));
  const clock = movedClock();
  const database = openSqlite({ file: join(directory, 'suite.db'), now: clock.now });
  return {
    database,
    moveClock: (milliseconds) => clock.move(milliseconds / 1000),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true });
    },
  };
});
