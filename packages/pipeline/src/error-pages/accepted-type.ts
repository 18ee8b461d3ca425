import { listElements, type HeaderList } from "@proxy/http";

/**
 * Whether a client takes `type`, a media type in lower case without parameters (RFC 9110, 12.5.1): the most specific range that matches it
 * decides. One that says nothing takes everything.
 */
export function accepts(headers: HeaderList, type: string): boolean {
  const lines = headers.getAll("accept");
  if (lines.length === 0) return true;
  const wanted = [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"];
  let best = wanted.length;
  let taken = false;
  for (const element of lines.flatMap((line) => listElements(line))) {
    const [range = "", ...parameters] = element.split(";");
    const rank = wanted.indexOf(range.trim().toLowerCase());
    if (rank < 0 || rank > best) continue;
    const refused = parameters.some((parameter) => /^\s*q\s*=\s*0(?:\.0{0,3})?\s*$/i.test(parameter));
    taken = !refused || (rank === best && taken);
    best = rank;
  }
  return taken;
}
