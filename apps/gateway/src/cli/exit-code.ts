/** What the process says at its end. Scripts rely on these. */
export const exitCode = {
  ok: 0,
  /** The configuration is invalid, or the gateway could not start. */
  failed: 1,
  /** The command line is wrong, or a file that it names is missing. */
  usage: 2,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
