import { clientAddressOf, headerKey } from "@proxy/http";
import { removeSpellings } from "./field-spellings.ts";
import { checkHeaderName, warnOfName } from "./header-settings.ts";
import { shownAddress } from "./shown-peer.ts";
import type { TransformFactory } from "./transform.ts";

/**
 * `ClientAddress: n` puts the client's address alone into a field, as `proxy_set_header X-Real-IP $remote_addr` of nginx does. What the client
 * itself sent under that name is removed in any case, in whatever spelling.
 */
export const clientAddress: TransformFactory = {
  key: "ClientAddress",
  // Where it did not run, a client could make an address up.
  always: true,
  build(settings, plan) {
    const name = settings.value;
    if (!settings.only() || !warnOfName(settings, name) || !checkHeaderName(settings, name)) return;
    const key = headerKey(name);
    plan.request.push((outgoing, { exchange }) => {
      removeSpellings(outgoing.headers, key);
      const address = shownAddress(clientAddressOf(exchange));
      if (address !== undefined) outgoing.headers.append(name, address);
    });
  },
};
