/** A page for answers that tell of an error. Extension. */
export interface ErrorPageConfig {
  /** For which statuses from 400 on: `4xx`, `404`, `500-504`, several joined by commas. */
  readonly status: string;
  /** Text, sent as UTF-8. Not together with `bodyFile`. */
  readonly body?: string | undefined;
  /**
   * A file read when the configuration is applied. Readers of configuration files make it absolute, relative to that file; a
   * relative one that comes from code is relative to the working directory.
   */
  readonly bodyFile?: string | undefined;
  /** Default: by the file's extension, otherwise `text/plain; charset=utf-8`. */
  readonly contentType?: string | undefined;
  /** Whether it also takes the place of what destinations answer. Default false: only of the gateway's own answers. */
  readonly intercept?: boolean | undefined;
}
