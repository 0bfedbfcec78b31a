/** `npm run doctor`. JavaScript that any Node understands: the first thing that may be wrong is which Node this is. */
if (Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(
    `✗ Node          ${process.versions.node}; this project runs on its own, which npm installs\n                npm ci\n`,
  );
  process.exitCode = 1;
} else {
  await import('./doctor.ts');
}
