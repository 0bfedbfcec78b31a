/** Compiles src/ and migrations/ into dist/ on every change; a child of watch.ts that reports each round to it. */
import { join } from 'node:path';
import ts from 'typescript';
import { repositoryRoot } from '../../local/servers/paths.ts';
import { buildProjects } from './build.ts';
import type { CompilerRound } from './watch.ts';

// Its parent may be killed; then there is nobody to compile for.
process.on('disconnect', () => process.exit());

for (const project of buildProjects) watch(join(repositoryRoot, project.config));

function watch(config: string): void {
  let round: CompilerRound = { errors: [], written: 0 };
  const system: ts.System = {
    ...ts.sys,
    writeFile: (path, text, bom) => {
      // The first round writes everything again; only what differs is a reason to start processes again.
      if (ts.sys.readFile(path) === text) return;
      if (path.endsWith('.js')) round.written += 1;
      ts.sys.writeFile(path, text, bom);
    },
  };
  const format = (diagnostic: ts.Diagnostic): string =>
    ts
      .formatDiagnostic(diagnostic, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => repositoryRoot,
        getNewLine: () => '\n',
      })
      .trim();
  const host = ts.createWatchCompilerHost(
    config,
    { noEmitOnError: true },
    system,
    ts.createEmitAndSemanticDiagnosticsBuilderProgram,
    (diagnostic) => round.errors.push(format(diagnostic)),
    // Called when a round begins and when it has ended; only the latter comes with a count of errors.
    (_status, _newLine, _options, errorCount) => {
      if (errorCount === undefined) return;
      process.send?.(round);
      round = { errors: [], written: 0 };
    },
  );
  ts.createWatchProgram(host);
}
