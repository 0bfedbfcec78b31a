import { SchematicsException, type Rule, type Tree } from '@angular-devkit/schematics';
import { format, resolveConfig } from 'prettier';
import type { Edited } from './edit.ts';
import { GeneratorFailure } from './failure.ts';

/** The files of a repository while a generator works on them. Nothing is written when it throws. */
export class Files {
  readonly tree: Tree;
  /** What the person who generates has to paste by hand. */
  readonly left: string[] = [];
  /** Files that go, with the reasons. */
  readonly removed: string[] = [];
  private readonly changed = new Set<string>();

  constructor(tree: Tree) {
    this.tree = tree;
  }

  has(path: string): boolean {
    return this.tree.exists(path);
  }

  read(path: string): string {
    return this.tree.readText(path);
  }

  /** Names of the files of a folder; none when there is no such folder. */
  list(folder: string): string[] {
    return this.tree.getDir(folder).subfiles;
  }

  /** @throws GeneratorFailure that lists all files that are there already */
  create(files: Record<string, string>): void {
    const there = Object.keys(files).filter((path) => this.has(path));
    if (there.length > 0)
      throw new GeneratorFailure(`Already there: ${there.join(', ')}. Nothing was written.`);
    for (const [path, text] of Object.entries(files)) {
      this.tree.create(path, text);
      this.changed.add(path);
    }
  }

  write(path: string, text: string): void {
    if (text === this.read(path)) return;
    this.tree.overwrite(path, text);
    this.changed.add(path);
  }

  /** @param reason where it is not plain from the path */
  delete(path: string, reason?: string): void {
    this.tree.delete(path);
    if (reason) this.removed.push(`${path}: ${reason}`);
  }

  /** Edits a file that people write, too; what cannot be done is left to them. @returns what became of it */
  edit(path: string, change: (text: string) => Edited): Edited['state'] {
    if (!this.has(path)) {
      this.left.push(`${path} is not there.`);
      return 'cannot';
    }
    const edited = change(this.read(path));
    if (edited.state === 'done') this.write(path, edited.text);
    if (edited.state === 'cannot') this.left.push(`${path} looks unusual; paste this:\n${edited.paste}`);
    return edited.state;
  }

  /** Gives what was written the house's form. */
  async format(): Promise<void> {
    const options = await resolveConfig(import.meta.filename);
    for (const path of [...this.changed].filter((file) => this.has(file) && /\.(ts|md|json|yml)$/.test(file)))
      this.tree.overwrite(path, await format(this.read(path), { ...options, filepath: path }));
  }
}

/** A generator: it does all of its work, or refuses with one message and writes nothing. */
export function generator(work: (files: Files) => void | Promise<void>): Rule {
  return async (tree, { logger }) => {
    const files = new Files(tree);
    try {
      await work(files);
    } catch (error) {
      throw error instanceof GeneratorFailure ? new SchematicsException(error.message) : error;
    }
    await files.format();
    for (const line of files.removed) logger.info(line);
    for (const paste of files.left) logger.warn(paste);
  };
}
