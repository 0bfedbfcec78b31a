/** Reports the progress on standard error: on a terminal in one changing line, in a file by one line per step. */
export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly started = performance.now();
  private prefix = '';
  private last = '';

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.stream = stream;
  }

  /** Begins a part, such as `[2/12] order-list`. */
  part(prefix: string): void {
    this.prefix = prefix;
    this.last = '';
  }

  say(activity: string): void {
    const text = `${clock(performance.now() - this.started)} ${this.prefix}  ${activity}`;
    if (this.stream.isTTY) {
      this.stream.write(`\r\u001b[2K${text.slice(0, this.stream.columns - 1)}`);
      return;
    }
    // Dozens of rounds would hide the important lines of a log.
    const step = activity.replace(/round \d+\/\d+.*/, 'rounds');
    if (step !== this.last) this.stream.write(`${text.replace(activity, step)}\n`);
    this.last = step;
  }

  /** Makes room for output of another kind. */
  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\u001b[2K');
  }
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
}
