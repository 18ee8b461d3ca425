/* What tests ask of the double beside the API: why a call was refused, where refusals were made, what is open. */
#include "double.h"

static char reason[512];

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
