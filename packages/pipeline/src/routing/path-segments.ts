/** Where the segments of a raw path are: `/a/b` and `/a/b/` have two, `/` has none, `/a//` has an empty second one. */
export interface PathSegments {
  /** How many there are, at most the limit. */
  count: number;
  readonly begins: number[];
  readonly ends: number[];
}

/** Fills `segments` with the first `limit` segments of `path`. One slash at the end does not count. */
export function splitPath(path: string, limit: number, segments: PathSegments): void {
  let count = 0;
  let begin = 1;
  while (count < limit && begin < path.length) {
    let end = path.indexOf("/", begin);
    if (end < 0) end = path.length;
    segments.begins[count] = begin;
    segments.ends[count] = end;
    count++;
    begin = end + 1;
  }
  segments.count = count;
}
