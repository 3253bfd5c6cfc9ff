/* A small typed filter language, in C11:
 *
 *   filter := term { "and" term }
 *   term   := [ "not" ] path comparison constant
 *   path   := author | id | timestamp | role | entity | context | reference | value:ROLE
 *   comparison := = | < | <= | > | >=
 *   constant := "text" (with \" and \\) | number | true | false
 *
 *   author = "alice" and value:year >= 1990 and not role = "negates"
 *
 * A term about pointers holds where it does for one of them; `not` turns the whole term around. It
 * is typed: `value:year = 5` is a number and never the text "5". Texts are equal or not; only
 * numbers are ordered. Words are parted by blanks; `=`, `<` and `>` part them too. */
#ifndef TERMS_H_
#define TERMS_H_

#include "rhizome/abi/filter.h"

#define MAX_TERMS 64u

typedef struct term {
  uint32_t negated;
  rz_atom atom; /* what it asks, its constant being the one below */
  rz_constant constant;
} term;

typedef struct filter {
  rz_filter_budget budget;
  uint32_t count;
  term terms[MAX_TERMS];
  char texts[]; /* the roles and texts of the terms */
} filter;

/* The filter of a source, of at most `max_terms` terms; NULL with *code, and `error` filled. */
filter* parse_filter(rz_bytes source, uint32_t max_terms, int32_t* code, rz_error* error);

/* Fills `error`, which may be NULL; `position` as in rz_error. Returns the code. */
int32_t fail(rz_error* error, int32_t code, uint64_t position, const char* message);

#endif /* TERMS_H_ */
