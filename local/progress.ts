import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export interface ProgressFigures {
  okPerSecond: number;
  refusedPerSecond: number;
  failedPerSecond: number;
  p99: number;
}

const REDRAW_MS = 250;

/** Shows the progress of a run: one changing line on a terminal; in a file, a line for each part and each of its phases. */
export class Progress {
  private readonly out: NodeJS.WriteStream;
  private readonly figures: () => ProgressFigures | undefined;
  private timer: NodeJS.Timeout | undefined;
  private prefix = '';
  private what = '';
  private startedAt = 0;

  constructor(
    figures: () => ProgressFigures | undefined = () => undefined,
    out: NodeJS.WriteStream = process.stdout,
  ) {
    this.out = out;
    this.figures = figures;
  }

  /** Begins a part that takes a while. @param prefix such as `[3/12] smtp-outage` */
  begin(prefix: string): void {
    this.prefix = prefix;
    this.what = '';
    this.startedAt = Date.now();
    if (this.out.isTTY) {
      this.timer = setInterval(() => this.draw(), REDRAW_MS);
      this.draw();
    } else {
      this.say(prefix);
    }
  }

  phase(what: string): void {
    const changed = stepOf(what) !== stepOf(this.what);
    this.what = what;
    if (this.out.isTTY) this.draw();
    else if (changed) this.say(`    ${this.elapsed()}  ${stepOf(what)}`);
  }

  /** Ends the part. @param line stays */
  end(line?: string): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.clear();
    if (line !== undefined) this.say(line);
  }

  say(line = ''): void {
    this.clear();
    this.out.write(`${line}\n`);
  }

  styled(style: Style, text: string): string {
    return styleText(style, text, { stream: this.out });
  }

  private draw(): void {
    const live = this.figures();
    const rates = live
      ? [
          `${Math.round(live.okPerSecond)}/s ok`,
          ...(live.refusedPerSecond > 0 ? [`${Math.round(live.refusedPerSecond)}/s rejected`] : []),
          ...(live.failedPerSecond > 0 ? [`${Math.round(live.failedPerSecond)}/s failed`] : []),
          `p99 ${Math.round(live.p99)} ms`,
        ]
      : [];
    const line = [this.prefix, this.elapsed(), this.what, ...rates].filter(Boolean).join('  ');
    this.clear();
    this.out.write(line.slice(0, Math.max(20, this.out.columns - 1)));
  }

  private elapsed(): string {
    return `${Math.round((Date.now() - this.startedAt) / 1_000)} s`;
  }

  private clear(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[2K');
  }
}

/** Dozens of turns (`turn 3/20 bare`) would hide the important lines of a log. */
function stepOf(phase: string): string {
  return phase.replace(/ \d+\/\d+.*/, 's');
}
