/* Sessions, URL groups, queues, URLs and properties. */
#include "double.h"

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
Queue *queues;
Group *groups;
Conn *conns;
static Session *sessions;
static int initialized;
static char reason[512];

uint32_t countPorts(void);
uint32_t countOps(void);

uint64_t nextId(void) {
  static uint64_t last = 0x1000;
  return last += 4;
}

/* Where refusals were made so far: "file:line" each, for the test that sees all of them. */
static char places[8192];

uint32_t refuseAt(const char *file, int line, uint32_t code, const char *why, ...) {
  char place[64];
  va_list arguments;
  va_start(arguments, why);
  vsnprintf(reason, sizeof reason, why, arguments);
  va_end(arguments);
  snprintf(place, sizeof place, "%s:%d ", file, line);
  if (!strstr(places, place) && strlen(places) + strlen(place) < sizeof places) strcat(places, place);
  return code;
}

EXPORT void HttpSim_Places(char *to, uint32_t size) {
  pthread_mutex_lock(&lock);
  snprintf(to, size, "%s", places);
  pthread_mutex_unlock(&lock);
}

/* Why the last call was refused, with its NUL; returns the length. */
EXPORT uint32_t HttpSim_Why(char *to, uint32_t size) {
  pthread_mutex_lock(&lock);
  snprintf(to, size, "%s", reason);
  uint32_t length = (uint32_t)strlen(reason);
  pthread_mutex_unlock(&lock);
  return length;
}

/* Live: sessions, groups, URLs, queues, delegation rules, ports, pending operations, connections, connections that others have. */
EXPORT void HttpSim_Counts(uint32_t *to) {
  pthread_mutex_lock(&lock);
  memset(to, 0, 9 * sizeof *to);
  for (Session *s = sessions; s; s = s->next) to[0]++;
  for (Group *g = groups; g; g = g->next) {
    to[1]++;
    for (Url *u = g->urls; u; u = u->next) to[2]++;
    for (Rule *r = g->rules; r; r = r->next) to[4]++;
  }
  for (Queue *q = queues; q; q = q->next) if (!q->closed) to[3]++;
  to[5] = countPorts();
  to[6] = countOps();
  for (Conn *c = conns; c; c = c->next) to[c->handed ? 8 : 7]++;
  pthread_mutex_unlock(&lock);
}

Queue *findQueue(uint64_t handle) {
  Queue *queue = queues;
  while (queue && (queue->handle != handle || queue->closed)) queue = queue->next;
  return queue;
}

Group *findGroup(uint64_t id) {
  Group *group = groups;
  while (group && group->id != id) group = group->next;
  return group;
}

static Session *findSession(uint64_t id) {
  Session *session = sessions;
  while (session && session->id != id) session = session->next;
  return session;
}

/* Unlocks on the way out of a call. */
static uint32_t out(uint32_t code) {
  pthread_mutex_unlock(&lock);
  return code;
}

EXPORT uint32_t HttpInitialize(uint32_t version, uint32_t flags, uint64_t reserved) {
  pthread_mutex_lock(&lock);
  if (version != API_VERSION_2) return out(refuse(ERROR_REVISION_MISMATCH, "version is not 2.0"));
  if (reserved || flags != HTTP_INITIALIZE_SERVER) return out(refuse(ERROR_INVALID_PARAMETER, "flags is not SERVER, or reserved is not NULL"));
  initialized++;
  return out(0);
}

EXPORT uint32_t HttpTerminate(uint32_t flags, uint64_t reserved) {
  pthread_mutex_lock(&lock);
  if (reserved || flags != HTTP_INITIALIZE_SERVER) return out(refuse(ERROR_INVALID_PARAMETER, "flags is not SERVER, or reserved is not NULL"));
  if (initialized > 0) initialized--;
  return out(0);
}

static uint32_t check(uint32_t version) {
  if (!initialized) return refuse(ERROR_DLL_INIT_FAILED, "HttpInitialize was not called");
  if (version != API_VERSION_2) return refuse(ERROR_REVISION_MISMATCH, "version is not 2.0");
  return 0;
}

EXPORT uint32_t HttpCreateServerSession(uint32_t version, uint64_t *id, uint32_t reserved) {
  pthread_mutex_lock(&lock);
  uint32_t code = check(version);
  if (code) return out(code);
  if (!id || reserved) return out(refuse(ERROR_INVALID_PARAMETER, "no place for the id, or reserved is not 0"));
  Session *session = calloc(1, sizeof *session);
  *id = session->id = nextId();
  session->next = sessions;
  sessions = session;
  return out(0);
}

static void freeUrls(Group *group) {
  while (group->urls) { Url *url = group->urls; group->urls = url->next; close(url->claim); free(url); }
  closeListenersWithoutUrl();
}

static void closeGroup(Group *group) {
  Group **at = &groups;
  while (*at != group) at = &(*at)->next;
  *at = group->next;
  freeUrls(group);
  while (group->rules) { Rule *rule = group->rules; group->rules = rule->next; free(rule); }
  free(group);
}

EXPORT uint32_t HttpCloseServerSession(uint64_t id) {
  pthread_mutex_lock(&lock);
  Session **at = &sessions;
  while (*at && (*at)->id != id) at = &(*at)->next;
  if (!*at) return out(refuse(ERROR_INVALID_PARAMETER, "no server session has this id"));
  Session *session = *at;
  *at = session->next;
  free(session);
  for (Group *group = groups, *next; group; group = next) { next = group->next; if (group->session == id) closeGroup(group); }
  return out(0);
}

EXPORT uint32_t HttpCreateUrlGroup(uint64_t sessionId, uint64_t *id, uint32_t reserved) {
  pthread_mutex_lock(&lock);
  if (!findSession(sessionId)) return out(refuse(ERROR_INVALID_PARAMETER, "no server session has this id"));
  if (!id || reserved) return out(refuse(ERROR_INVALID_PARAMETER, "no place for the id, or reserved is not 0"));
  Group *group = calloc(1, sizeof *group);
  *id = group->id = nextId();
  group->session = sessionId;
  group->next = groups;
  groups = group;
  return out(0);
}

EXPORT uint32_t HttpCloseUrlGroup(uint64_t id) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  closeGroup(group);
  return out(0);
}

/* UTF-16 to bytes; 0 when it does not fit or is not ASCII. */
static int narrow(uint64_t wide, char *to, size_t size) {
  const uint16_t *from = AT(wide);
  size_t i = 0;
  for (; from[i]; i++) {
    if (from[i] > 126 || from[i] < 32 || i + 1 >= size) return 0;
    to[i] = (char)from[i];
  }
  to[i] = 0;
  return 1;
}

/* scheme://host:port/path/ */
static int parseUrl(const char *text, Url *url) {
  char host[256] = { 0 };
  if (strncasecmp(text, "http://", 7) && strncasecmp(text, "https://", 8)) return 0;
  const char *at = strstr(text, "://") + 3;
  const char *hostEnd = *at == '[' ? strchr(at, ']') : strchr(at, ':');
  if (!hostEnd) return 0;
  if (*at == '[') hostEnd++;
  size_t length = (size_t)(hostEnd - at);
  if (length == 0 || length >= sizeof host || *hostEnd != ':') return 0;
  memcpy(host, at, length);
  char *end;
  long port = strtol(hostEnd + 1, &end, 10);
  if (end == hostEnd + 1 || port < 1 || port > 65535 || *end != '/') return 0;
  snprintf(url->path, sizeof url->path, "%s", end);
  if (url->path[strlen(url->path) - 1] != '/') return 0;
  struct in_addr address;
  url->kind = !strcmp(host, "+") ? 0 : !strcmp(host, "*") ? 3 : host[0] == '[' || inet_pton(AF_INET, host, &address) == 1 ? 2 : 1;
  url->port = (int)port;
  memcpy(url->host, host, sizeof host);
  snprintf(url->text, sizeof url->text, "%s", text);
  return 1;
}

EXPORT uint32_t HttpAddUrlToUrlGroup(uint64_t id, uint64_t wide, uint64_t context, uint32_t reserved) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group || reserved || !wide) return out(refuse(ERROR_INVALID_PARAMETER, "no such URL group, no URL, or reserved is not 0"));
  Url *url = calloc(1, sizeof *url);
  char text[1400];
  if (!narrow(wide, text, sizeof text) || !parseUrl(text, url)) {
    free(url);
    return out(refuse(ERROR_INVALID_PARAMETER, "the prefix is not scheme://host:port/path/ with a trailing slash"));
  }
  if (url->port < 1024 && !getenv("HTTPSIM_LOW_PORTS")) {
    free(url);
    return out(refuse(ERROR_ACCESS_DENIED, "ports below 1024 stand for prefixes that nobody reserved for this account"));
  }
  for (Group *other = groups; other; other = other->next) {
    for (Url *taken = other->urls; taken; taken = taken->next) {
      if (strcasecmp(taken->text, text)) continue;
      free(url);
      return out(refuse(ERROR_ALREADY_EXISTS, "the prefix is registered already"));
    }
  }
  url->claim = claimUrl(text);
  if (url->claim < 0) {
    free(url);
    return out(refuse(ERROR_ALREADY_EXISTS, "another process has registered the prefix"));
  }
  int failed = openListener(url->port);
  if (failed) {
    close(url->claim);
    free(url);
    return out(refuse(failed == EADDRINUSE ? ERROR_SHARING_VIOLATION : ERROR_ACCESS_DENIED, "the port cannot be had: %s", strerror(failed)));
  }
  url->context = context;
  url->next = group->urls;
  group->urls = url;
  return out(0);
}

EXPORT uint32_t HttpRemoveUrlFromUrlGroup(uint64_t id, uint64_t wide, uint32_t flags) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  if (flags & HTTP_URL_FLAG_REMOVE_ALL) {
    if (wide) return out(refuse(ERROR_INVALID_PARAMETER, "REMOVE_ALL together with a URL"));
    freeUrls(group);
    return out(0);
  }
  char text[1400];
  if (!wide || !narrow(wide, text, sizeof text)) return out(refuse(ERROR_INVALID_PARAMETER, "no URL"));
  for (Url **at = &group->urls; *at; at = &(*at)->next) {
    if (strcasecmp((*at)->text, text)) continue;
    Url *url = *at;
    *at = url->next;
    close(url->claim);
    free(url);
    closeListenersWithoutUrl();
    return out(0);
  }
  return out(refuse(ERROR_FILE_NOT_FOUND, "the prefix is not in this group"));
}

static int hostMatches(const Url *url, const char *host, size_t length) {
  if (url->kind != 1) return 1;
  return strlen(url->host) == length && !strncasecmp(url->host, host, length);
}

Url *route(Queue *only, int port, const char *host, const char *path, Group **in) {
  const char *colon = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
  size_t hostLength = colon ? (size_t)(colon - host) + (*colon == ']') : strlen(host);
  Url *best = NULL;
  for (Group *group = groups; group; group = group->next) {
    if (only && group->queue != only->handle) continue;
    for (Url *url = group->urls; url; url = url->next) {
      size_t length = strlen(url->path);
      int whole = !strncasecmp(url->path, path, length) || (strlen(path) == length - 1 && !strncasecmp(url->path, path, length - 1)) || !strcmp(path, "*");
      if (url->port != port || !whole || !hostMatches(url, host, hostLength)) continue;
      if (best && (best->kind < url->kind || (best->kind == url->kind && strlen(best->path) >= length))) continue;
      best = url;
      *in = group;
    }
  }
  return best;
}

static int isQueueName(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= 255 && !strpbrk(name, "/\\");
}

EXPORT uint32_t HttpCreateRequestQueue(uint32_t version, uint64_t wideName, uint64_t attributes, uint32_t flags, uint64_t *handle) {
  pthread_mutex_lock(&lock);
  uint32_t code = check(version);
  if (code) return out(code);
  char name[256] = { 0 };
  int open = (flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING) != 0;
  int delegation = (flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION) != 0;
  if (!handle || (flags & ~11u)) return out(refuse(ERROR_INVALID_PARAMETER, "no place for the handle, or an unknown flag"));
  if (wideName && (!narrow(wideName, name, sizeof name) || !isQueueName(name)))
    return out(refuse(ERROR_INVALID_NAME, "a queue name has 1 to 255 characters without slash and backslash"));
  if (open && !wideName) return out(refuse(ERROR_INVALID_PARAMETER, "OPEN_EXISTING without a name"));
  if (open && attributes) return out(refuse(ERROR_INVALID_PARAMETER, "OPEN_EXISTING with security attributes"));
  if (delegation && !open) return out(refuse(ERROR_INVALID_PARAMETER, "DELEGATION without OPEN_EXISTING"));
  Queue *queue = calloc(1, sizeof *queue);
  queue->member = queue->inbox = queue->slot = queue->wake = -1;
  queue->limit = 1000;
  queue->flags = flags;
  memcpy(queue->name, name, sizeof name);
  if (name[0]) {
    code = (uint32_t)joinQueue(queue, !open);
    if (code) { free(queue); return out(code); }
  }
  *handle = queue->handle = nextId();
  queue->next = queues;
  queues = queue;
  if (!open) openInbox(queue);
  return out(0);
}

static void shutQueue(Queue *queue) {
  queue->shut = 1;
  cancelOps(&queue->receives, ERROR_OPERATION_ABORTED);
  closeInbox(queue);
  /* Other processes of the queue may still want what waits in it. */
  Conn *waiting = queue->pending;
  queue->pending = queue->pendingTail = NULL;
  for (Conn *next; waiting; waiting = next) {
    next = waiting->nextPending;
    waiting->nextPending = NULL;
    if (waiting->lease >= 0) waiting->silent = 1;
    else if (!shareOut(waiting, queue)) { enqueue(waiting, queue); continue; }
    wakeConn(waiting);
  }
}

EXPORT uint32_t HttpShutdownRequestQueue(uint64_t handle) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  shutQueue(queue);
  return out(0);
}

EXPORT uint32_t HttpCloseRequestQueue(uint64_t handle) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  shutQueue(queue);
  for (Conn *conn = conns; conn; conn = conn->next) {
    if (conn->queue != queue) continue;
    cancelOps(&conn->bodies, ERROR_OPERATION_ABORTED);
    cancelOps(&conn->waits, ERROR_OPERATION_ABORTED);
    cancelOps(&conn->certificates, ERROR_OPERATION_ABORTED);
    cancelOps(&conn->sends, ERROR_OPERATION_ABORTED);
    /* What came from another process goes back there, which answers for it. */
    if (conn->state != REQUEST_NONE) { if (conn->lease >= 0) conn->silent = 1; else conn->kill = 1; }
    unlinkPending(conn);
    conn->queue = NULL;
    wakeConn(conn);
  }
  queue->closed = 1;
  queue->port = NULL;
  if (queue->member >= 0) close(queue->member);
  Queue **at = &queues;
  while (*at != queue) at = &(*at)->next;
  *at = queue->next;
  free(queue);
  return out(0);
}

static uint32_t setBinding(Group *group, const HTTP_BINDING_INFO *info) {
  if (!info->Flags.Present) { group->queue = 0; return 0; }
  Queue *queue = findQueue(info->RequestQueueHandle);
  if (!queue) return refuse(ERROR_INVALID_HANDLE, "no queue has this handle");
  if (queue->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION) return refuse(ERROR_INVALID_PARAMETER, "the queue was opened for delegation");
  group->queue = queue->handle;
  return 0;
}

static uint32_t setDelegation(Group *group, const HTTP_BINDING_INFO *info) {
  for (Rule **at = &group->rules; *at; at = &(*at)->next) {
    if ((*at)->target != info->RequestQueueHandle) continue;
    if (info->Flags.Present) return refuse(ERROR_ALREADY_EXISTS, "this handle has a rule already");
    Rule *rule = *at;
    *at = rule->next;
    free(rule);
    return 0;
  }
  if (!info->Flags.Present) return refuse(ERROR_NOT_FOUND, "this handle has no rule in the group");
  Queue *target = findQueue(info->RequestQueueHandle);
  if (!target) return refuse(ERROR_INVALID_HANDLE, "no queue has this handle");
  if (!(target->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION)) return refuse(ERROR_INVALID_PARAMETER, "the target was opened without DELEGATION");
  for (Group *other = groups; other; other = other->next) {
    for (Rule *rule = other->rules; rule; rule = rule->next) {
      Queue *queue = findQueue(rule->target);
      if (queue && !strcasecmp(queue->name, target->name)) return refuse(ERROR_ALREADY_EXISTS, "a rule for this queue exists");
    }
  }
  Rule *rule = calloc(1, sizeof *rule);
  rule->target = target->handle;
  rule->next = group->rules;
  group->rules = rule;
  return 0;
}

#define SIZED(type) do { if (!value || length != sizeof(type)) return out(refuse(ERROR_INVALID_PARAMETER, "the property is not a " #type)); } while (0)

EXPORT uint32_t HttpSetUrlGroupProperty(uint64_t id, int32_t property, uint64_t value, uint32_t length) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  switch (property) {
    case HttpServerBindingProperty: SIZED(HTTP_BINDING_INFO); return out(setBinding(group, AT(value)));
    case HttpServerDelegationProperty: SIZED(HTTP_BINDING_INFO); return out(setDelegation(group, AT(value)));
    case HttpServerTimeoutsProperty: SIZED(HTTP_TIMEOUT_LIMIT_INFO); group->timeouts = *(HTTP_TIMEOUT_LIMIT_INFO *)AT(value); return out(0);
    case HttpServerQosProperty: {
      SIZED(HTTP_QOS_SETTING_INFO);
      const HTTP_QOS_SETTING_INFO *info = AT(value);
      if (info->QosType != 1) return out(refuse(ERROR_NOT_SUPPORTED, "only the connection limit"));
      const HTTP_CONNECTION_LIMIT_INFO *limit = AT(info->QosSetting);
      group->connections = limit->Flags.Present ? limit->MaxConnections : 0;
      return out(0);
    }
    case HttpServerStateProperty: SIZED(HTTP_STATE_INFO); return out(0);
    default: return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a URL group", property));
  }
}

EXPORT uint32_t HttpQueryUrlGroupProperty(uint64_t id, int32_t property, uint64_t value, uint32_t length, uint32_t *returned) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  if (property != HttpServerTimeoutsProperty) return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a URL group", property));
  SIZED(HTTP_TIMEOUT_LIMIT_INFO);
  *(HTTP_TIMEOUT_LIMIT_INFO *)AT(value) = group->timeouts;
  if (returned) *returned = sizeof group->timeouts;
  return out(0);
}

EXPORT uint32_t HttpSetServerSessionProperty(uint64_t id, int32_t property, uint64_t value, uint32_t length) {
  pthread_mutex_lock(&lock);
  if (!findSession(id) || !value || !length) return out(refuse(ERROR_INVALID_PARAMETER, "no server session has this id, or no value"));
  if (property == HttpServerTimeoutsProperty) { SIZED(HTTP_TIMEOUT_LIMIT_INFO); return out(0); }
  return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a server session", property));
}

EXPORT uint32_t HttpSetRequestQueueProperty(uint64_t handle, int32_t property, uint64_t value, uint32_t length, uint32_t reserved1, uint64_t reserved2) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  if (!value || length != 4 || reserved1 || reserved2) return out(refuse(ERROR_INVALID_PARAMETER, "the value is not a ULONG, or a reserved one is not 0"));
  uint32_t number = *(uint32_t *)AT(value);
  switch (property) {
    case HttpServerQueueLengthProperty: if (!number) return out(refuse(ERROR_INVALID_PARAMETER, "a queue of length 0")); queue->limit = number; return out(0);
    case HttpServer503VerbosityProperty: if (number > 2) return out(refuse(ERROR_INVALID_PARAMETER, "no such verbosity")); queue->verbosity = number; return out(0);
    case HttpServerStateProperty: return out(0);
    default: return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a queue", property));
  }
}

EXPORT uint32_t HttpQueryRequestQueueProperty(uint64_t handle, int32_t property, uint32_t *value, uint32_t length, uint32_t reserved1, uint32_t *returned, uint64_t reserved2) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  if (!value || length != 4 || reserved1 || reserved2) return out(refuse(ERROR_INVALID_PARAMETER, "the value is not a ULONG, or a reserved one is not 0"));
  if (property == HttpServerQueueLengthProperty) *value = queue->limit;
  else if (property == HttpServer503VerbosityProperty) *value = queue->verbosity;
  else return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a queue", property));
  if (returned) *returned = 4;
  return out(0);
}

/* Before HttpInitialize it has nobody to ask, and can say so in no other way. */
EXPORT int32_t HttpIsFeatureSupported(int32_t feature) {
  pthread_mutex_lock(&lock);
  if (!initialized) { refuse(ERROR_DLL_INIT_FAILED, "HttpInitialize was not called"); return (int32_t)out(0); }
  pthread_mutex_unlock(&lock);
  const char *without = getenv("HTTPSIM_WITHOUT_FEATURES");
  if (without) {
    char number[16];
    snprintf(number, sizeof number, ",%d,", feature);
    if (strstr(without, number)) return 0;
  }
  return feature == HttpFeatureDelegateEx || feature == HttpFeatureResponseTrailers;
}

EXPORT uint32_t HttpFindUrlGroupId(uint64_t wide, uint64_t handle, uint64_t *id) {
  pthread_mutex_lock(&lock);
  if (!initialized) return out(refuse(ERROR_DLL_INIT_FAILED, "HttpInitialize was not called"));
  char text[1400];
  if (!id || !wide || !narrow(wide, text, sizeof text)) return out(refuse(ERROR_INVALID_PARAMETER, "no URL, or no place for the id"));
  for (Group *group = groups; group; group = group->next)
    for (Url *url = group->urls; url; url = url->next)
      if (group->queue == handle && !strcasecmp(url->text, text)) { *id = group->id; return out(0); }
  return out(refuse(ERROR_NOT_FOUND, "no URL group of the queue has this URL"));
}
