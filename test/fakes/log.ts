import type { Log, LogFields } from '../../lambdas/shared/log.ts';

export interface LogLine {
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is logged. */
export function memoryLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  return {
    log: (message, fields) => {
      lines.push({ message, fields });
    },
    lines,
  };
}
