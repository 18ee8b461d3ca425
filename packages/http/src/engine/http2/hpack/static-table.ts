import { headerKey } from "../../../header-name.ts";
import { TableField } from "./table-field.ts";

/** RFC 7541, Appendix A, in the order of the indices. */
const pairs: readonly (readonly [name: string, value?: string])[] = [
  [":authority"], [":method", "GET"], [":method", "POST"], [":path", "/"], [":path", "/index.html"], [":scheme", "http"],
  [":scheme", "https"], [":status", "200"], [":status", "204"], [":status", "206"], [":status", "304"], [":status", "400"],
  [":status", "404"], [":status", "500"], ["accept-charset"], ["accept-encoding", "gzip, deflate"], ["accept-language"],
  ["accept-ranges"], ["accept"], ["access-control-allow-origin"], ["age"], ["allow"], ["authorization"], ["cache-control"],
  ["content-disposition"], ["content-encoding"], ["content-language"], ["content-length"], ["content-location"],
  ["content-range"], ["content-type"], ["cookie"], ["date"], ["etag"], ["expect"], ["expires"], ["from"], ["host"], ["if-match"],
  ["if-modified-since"], ["if-none-match"], ["if-range"], ["if-unmodified-since"], ["last-modified"], ["link"], ["location"],
  ["max-forwards"], ["proxy-authenticate"], ["proxy-authorization"], ["range"], ["referer"], ["refresh"], ["retry-after"],
  ["server"], ["set-cookie"], ["strict-transport-security"], ["transfer-encoding"], ["user-agent"], ["vary"], ["via"],
  ["www-authenticate"],
];

/** The number of static entries; the dynamic ones follow. */
export const staticCount = 61;

/** The entries of the static table in order: index 1 stands first. */
export const staticFields: readonly TableField[] = pairs.map(([name, value = ""]) => new TableField(headerKey(name), value));

/** A name of the static table. */
export interface StaticName {
  /** The first index with this name. */
  readonly index: number;
  /** The values of that index and those after it; empty where the table has the name alone. */
  readonly values: readonly string[];
}

/** The names of the static table. */
export const staticNames: ReadonlyMap<string, StaticName> = new Map(
  [...new Set(staticFields.map(({ name }) => name))].map((name) => {
    const values = staticFields.filter((field) => field.name === name && field.value !== "").map(({ value }) => value);
    return [name, { index: staticFields.findIndex((field) => field.name === name) + 1, values }];
  }),
);
