/* HttpInitialize and what it is asked for, server sessions and URL groups. */
#include "double.h"

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
Group *groups;
Session *sessions;
int initialized;

uint64_t nextId(void) {
  static uint64_t last = 0x1000;
  return last += 4;
}

Group *findGroup(uint64_t id) {
  Group *group = groups;
  while (group && group->id != id) group = group->next;
  return group;
}

Session *findSession(uint64_t id) {
  Session *session = sessions;
  while (session && session->id != id) session = session->next;
  return session;
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

uint32_t checkVersion(uint32_t version) {
  if (!initialized) return refuse(ERROR_DLL_INIT_FAILED, "HttpInitialize was not called");
  if (version != API_VERSION_2) return refuse(ERROR_REVISION_MISMATCH, "version is not 2.0");
  return 0;
}

EXPORT uint32_t HttpCreateServerSession(uint32_t version, uint64_t *id, uint32_t reserved) {
  pthread_mutex_lock(&lock);
  uint32_t code = checkVersion(version);
  if (code) return out(code);
  if (!id || reserved) return out(refuse(ERROR_INVALID_PARAMETER, "no place for the id, or reserved is not 0"));
  Session *session = calloc(1, sizeof *session);
  *id = session->id = nextId();
  session->next = sessions;
  sessions = session;
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
