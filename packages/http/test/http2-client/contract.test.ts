import { createVersionedClient } from "../../src/index.ts";
import { describeDestinationClientContract } from "../contract/destination-client-contract.ts";

// In cleartext it speaks HTTP/1.1 unless it is asked for HTTP/2 exactly.
describeDestinationClientContract("a client of several versions, in cleartext", createVersionedClient, {
  skip: {
    "over HTTP/2 and nothing else is refused by a client of HTTP/1.1, before anything is sent": "it speaks HTTP/2",
  },
});
