/** What a path captured. Names ignore case. */
export interface RouteValues extends Iterable<readonly [name: string, value: string | null]> {
  /** Percent-decoded, except that `%2F` stays; undefined when absent or without a value. */
  get(name: string): string | undefined;
  /** The same as it stands in the path, percent-encoded. */
  getRaw(name: string): string | undefined;
}
