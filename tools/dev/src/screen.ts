/** What a person sees while the system starts and runs. */
export interface Screen {
  /** Replaces the progress line; on a pipe each different text is a line of its own. */
  progress(text: string): void;
  /** A line that stays. */
  say(text: string): void;
  table(rows: readonly (readonly [string, string])[]): void;
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  let open = false;
  let last = '';
  const close = () => {
    if (open) out.write('\n');
    open = false;
  };
  return {
    progress: (text) => {
      if (text === last) return;
      last = text;
      if (out.isTTY) {
        out.write(`\r\x1b[2K${text}`);
        open = true;
      } else out.write(`${text}\n`);
    },
    say: (text) => {
      close();
      out.write(`${text}\n`);
    },
    table: (rows) => {
      close();
      const width = Math.max(...rows.map(([name]) => name.length));
      for (const [name, value] of rows) out.write(`  ${name.padEnd(width)}  ${value}\n`);
    },
  };
}
