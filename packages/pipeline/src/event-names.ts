/** What a `ProxyLogger` is told, and what it means. */
export const proxyEventNames: Readonly<Record<string, string>> = {
  "config-applied": "A configuration is in force.",
  "config-refused": "A configuration cannot be used; the one before stays in force.",
  "config-loading-failed": "A provider could not deliver; its last configuration stays in use.",
  "config-warning": "Something in the configuration in force is doubtful.",
  "no-cluster-found": "A request was answered with 503: its route has no cluster that exists.",
  "no-available-destinations": "Balancing has no destination for a request.",
  "multiple-destinations-available": "Several destinations were left at the end; one was drawn at random.",
  "affinity-failed": "The session of a request leads nowhere and its failure policy ended it; level debug when the key is unreadable.",
  "destination-health-changed": "A destination became healthy, unhealthy (level warning) or unknown; the reason stands beside it.",
  "destination-probed": "A probe of a destination ended, with a status or an error; level debug.",
  "health-policy-failed": "An active health policy threw; the results of that round are lost.",
  "forwarding-failed": "Forwarding ended with a forwarder error; level debug when it is the client's doing.",
  "transform-failed": "A response transform threw while a failure was being answered.",
  "step-failed": "A step threw; the request was answered with 500 or cut.",
  "request-failed": "A request of a Node server could not be taken over.",
};
