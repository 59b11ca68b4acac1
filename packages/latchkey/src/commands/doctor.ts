// `latchkey doctor`: everything that can be checked, and for each thing that is wrong how to mend it.
import { existsSync } from 'node:fs';
import { checkDatabase, checkDataDir, checkKeys, checkMasterKey } from '../doctor/data.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkFarClock, checkPorts } from '../doctor/network.ts';
import { checkRuntime, checkSettings, checkTls } from '../doctor/settings.ts';
import { inspectSettings } from '../settings/settings.ts';
import { print, printJson, styled } from '../terminal/print.ts';
import { type Command, jsonOption, settingOptions } from './command.ts';

export const doctor: Command = {
  usage: 'doctor',
  about: 'Changes nothing. The exit code is 1 when something is broken.',
  options: { ...settingOptions(), ...jsonOption },
  async run(input) {
    const report = await inspectSettings({ flags: input.flags });
    const { settings, faults } = report;
    const now = Date.now();
    const findings = [
      checkRuntime(),
      ...(await checkSettings(report)),
      ...checkTls(report, now),
      ...checkDataDir(settings),
    ];
    findings.push(checkMasterKey(settings), checkDatabase(settings));
    // With faulty settings a server cannot be opened, and would only say the same again.
    if (faults.length === 0)
      findings.push(...(await checkKeys(settings, now)), ...(await checkPorts(settings)));
    findings.push(...(await checkFarClock(settings, Date.now)));
    const broken = findings.filter(({ state }) => state === 'bad').length;
    if (broken > 0) process.exitCode = 1;
    if (input.has('json')) return printJson({ findings, broken });
    for (const finding of findings) printFinding(finding);
    print(broken === 0 ? '\nnothing is broken' : `\n${broken} broken`);
    if (settings.configFile === undefined && !existsSync(settings.dataDir))
      print('hint: latchkey start runs everything with the defaults');
  },
};

const marks = { good: ['green', '✓'], look: ['yellow', '!'], bad: ['red', '✗'] } as const;

function printFinding({ check, state, says, mend }: Finding): void {
  const [colour, mark] = marks[state];
  print(`${styled(colour, mark)} ${check.padEnd(12)}  ${says}`);
  if (mend !== undefined) print(`${' '.repeat(14)}  ${styled('dim', `→ ${mend}`)}`);
}
