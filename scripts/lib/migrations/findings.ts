/** Something about a migration that would hurt those who use the product meanwhile, or the release before it. */
export interface Finding {
  rule: string;
  message: string;
}

/** `// migrations:check allows RULE[, RULE]: REASON`, in the file of the migration. */
const OVERRIDE = /^\s*(?:\/\/|\*) migrations:check allows ([a-z, -]*?)(?::[ \t]*(.*))?$/gm;
const SHORTEST_REASON = 15;

/** The findings that are left when the file's overrides are taken into account; an override that is no good is a finding. */
export function withoutOverridden(findings: readonly Finding[], source: string): Finding[] {
  const overrides = [...source.matchAll(OVERRIDE)].flatMap(([, rules = '', reason = '']) =>
    rules.split(',').map((rule) => ({ rule: rule.trim(), reason: reason.trim() })),
  );
  return [
    ...findings.filter(({ rule }) => !overrides.some((override) => override.rule === rule)),
    ...overrides
      .filter(({ reason }) => reason.length < SHORTEST_REASON)
      .map(({ rule }) => ({
        rule: 'override-without-reason',
        message: `It allows ${rule} and does not say why: "// migrations:check allows ${rule}: the reason".`,
      })),
    ...overrides
      .filter(({ rule }) => findings.every((finding) => finding.rule !== rule))
      .map(({ rule }) => ({
        rule: 'override-without-use',
        message: `It allows ${rule}, which was not found: remove the comment.`,
      })),
  ];
}
