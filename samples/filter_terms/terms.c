/* The language's tables: asking filters about deltas, their atoms, and their JSON-Logic. See
 * terms.h. Called by a host on the threads that rhizome/abi/filter.h tags; a filter never changes.
 */
#include "terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rhizome/abi.h"
#include "rhizome/config.h"

typedef struct language {
  uint32_t max_terms;
} language;

/* ---- asking */

typedef enum answer { kNo, kYes, kStopped } answer;

/* Takes `count` steps off what is left; 0 where there are not so many. */
static int spend(uint64_t* left, uint64_t count) {
  if (count > *left) return 0;
  *left -= count;
  return 1;
}

static int same(rz_bytes a, rz_bytes b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, (size_t)a.size) == 0);
}

static int ordered(uint32_t comparison, double value, double constant) {
  switch (comparison) {
    case RZ_COMPARE_EQ:
      return value == constant;
    case RZ_COMPARE_LT:
      return value < constant;
    case RZ_COMPARE_LE:
      return value <= constant;
    case RZ_COMPARE_GT:
      return value > constant;
    default:
      return value >= constant;
  }
}

static int holds_for_pointer(const term* t, const rz_delta* delta, const rz_pointer* p) {
  const rz_bytes text = rz_delta_at(delta, p->target_offset, p->target_size);
  const rz_bytes role = rz_delta_at(delta, p->role_offset, p->role_size);
  const int names = p->kind == RZ_TARGET_ENTITY || p->kind == RZ_TARGET_DELTA;
  switch (t->atom.path) {
    case RZ_ATOM_ROLE:
      return same(role, t->constant.text);
    case RZ_ATOM_ENTITY:
      return p->kind == RZ_TARGET_ENTITY && same(text, t->constant.text);
    case RZ_ATOM_REFERENCE:
      return p->kind == RZ_TARGET_DELTA && same(text, t->constant.text);
    case RZ_ATOM_CONTEXT: /* size 0: there is none */
      return names && p->context_size != 0 &&
             same(rz_delta_at(delta, p->context_offset, p->context_size), t->constant.text);
    default:
      if (p->kind != t->constant.kind || !same(role, t->atom.role)) return 0;
      return p->kind == RZ_TARGET_STRING
                 ? same(text, t->constant.text)
                 : ordered(t->atom.comparison, p->number, t->constant.number);
  }
}

static int is_id(const rz_delta* delta, rz_bytes hex) {
  static const char kDigits[] = "0123456789abcdef";
  const char* const digits = hex.data;
  if (hex.size != 2 * RZ_DELTA_ID_SIZE) return 0;
  for (size_t i = 0; i < RZ_DELTA_ID_SIZE; ++i)
    if (digits[2 * i] != kDigits[delta->id[i] >> 4] ||
        digits[2 * i + 1] != kDigits[delta->id[i] & 15])
      return 0;
  return 1;
}

/* A step for the term, one for each pointer, and one for every 64 bytes that it may compare. */
static answer ask_term(const term* t, const rz_delta* delta, uint64_t* left) {
  const uint64_t cost = 1 + (t->constant.text.size + t->atom.role.size) / 64;
  int holds = 0;
  if (t->atom.path == RZ_ATOM_AUTHOR || t->atom.path == RZ_ATOM_ID ||
      t->atom.path == RZ_ATOM_TIMESTAMP) {
    if (!spend(left, cost)) return kStopped;
    holds =
        t->atom.path == RZ_ATOM_AUTHOR
            ? same(rz_delta_at(delta, delta->author_offset, delta->author_size), t->constant.text)
        : t->atom.path == RZ_ATOM_ID
            ? is_id(delta, t->constant.text)
            : ordered(t->atom.comparison, delta->timestamp, t->constant.number);
  } else {
    for (uint32_t i = 0; i < delta->pointer_count && !holds; ++i) {
      if (!spend(left, cost)) return kStopped;
      holds = holds_for_pointer(t, delta, rz_delta_pointer(delta, i));
    }
  }
  return (uint32_t)holds != t->negated ? kYes : kNo;
}

static answer ask(const filter* f, const rz_delta* delta, uint64_t* left) {
  *left = f->budget.steps;
  for (uint32_t i = 0; i < f->count; ++i) {
    const answer a = ask_term(&f->terms[i], delta, left);
    if (a != kYes) return a;
  }
  return kYes;
}

static int32_t match(void* given, const rz_delta* const* deltas, uint64_t count, uint64_t* bitmap,
                     rz_filter_counts* counts, rz_error* error) {
  uint64_t left;
  (void)error;
  for (uint64_t i = 0; i < count; ++i) {
    const answer a = ask(given, deltas[i], &left);
    if (a == kYes) bitmap[i / 64] |= (uint64_t)1 << i % 64;
    if (a == kStopped) ++counts->stopped;
  }
  return RZ_OK;
}

static int32_t match_pairs(void* given, rz_filter_pairs_block* block, rz_error* error) {
  char* const base = (char*)block;
  const uint64_t* const filters = (const uint64_t*)(base + block->filters);
  const int64_t* const deltas = (const int64_t*)(base + block->deltas);
  const rz_filter_pair* const pairs = (const rz_filter_pair*)(base + block->pairs);
  uint32_t* const results = (uint32_t*)(base + block->results);
  (void)given, (void)error;
  for (uint32_t i = 0; i < block->pair_count; ++i) {
    const filter* const f = (const filter*)(uintptr_t)filters[pairs[i].filter];
    uint64_t left;
    const answer a = ask(f, (const rz_delta*)(base + deltas[pairs[i].delta]), &left);
    uint64_t steps = f->budget.steps - left;
    if (steps == 0) steps = 1;
    results[i] = (uint32_t)(steps < RZ_PAIR_STEPS ? steps : RZ_PAIR_STEPS) |
                 (a == kYes       ? RZ_PAIR_MATCHES
                  : a == kStopped ? RZ_PAIR_STOPPED
                                  : 0);
  }
  return RZ_OK;
}

/* ---- what a filter says of itself */

static int32_t atoms(void* given, const rz_atoms_sink* sink, rz_error* error) {
  const filter* const f = given;
  rz_atom found[MAX_TERMS];
  uint64_t count = 0;
  for (uint32_t i = 0; i < f->count; ++i)
    if (!f->terms[i].negated) found[count++] = f->terms[i].atom;
  if (count == 0)
    return fail(error, RZ_UNSUPPORTED, 0, "a filter of negated terms alone has no atoms");
  return sink->alternative(sink->context, found, count);
}

/* Writes JSON to a sink, or counts its bytes where there is none; the first failure stays. */
typedef struct writer {
  const rz_sink* sink;
  uint64_t size;
  int32_t code;
} writer;

static void write_bytes(writer* w, const void* data, uint64_t size) {
  w->size += size;
  if (w->sink != NULL && w->code == RZ_OK && size != 0)
    w->code = w->sink->write(w->sink->context, (rz_bytes){data, size});
}
static void write_text(writer* w, const char* text) { write_bytes(w, text, strlen(text)); }

static void write_string(writer* w, rz_bytes text) {
  const char* const bytes = text.data;
  uint64_t from = 0;
  write_text(w, "\"");
  for (uint64_t i = 0; i < text.size; ++i) {
    char escape[8];
    const unsigned char c = (unsigned char)bytes[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    write_bytes(w, bytes + from, i - from);
    snprintf(escape, sizeof escape, c < 0x20 ? "\\u%04x" : "\\%c", c);
    write_text(w, escape);
    from = i + 1;
  }
  write_bytes(w, bytes + from, text.size - from);
  write_text(w, "\"");
}

static void write_constant(writer* w, const rz_constant* constant) {
  char digits[40];
  if (constant->kind == RZ_TARGET_STRING) {
    write_string(w, constant->text);
  } else if (constant->kind == RZ_TARGET_BOOLEAN) {
    write_text(w, constant->number != 0 ? "true" : "false");
  } else {
    snprintf(digits, sizeof digits, "%.17g", constant->number);
    write_text(w, digits);
  }
}

/* {"COMPARISON":[{"var":"PATH"},CONSTANT]} */
static void write_compared(writer* w, const char* comparison, const char* path,
                           const rz_constant* constant) {
  write_text(w, "{\"");
  write_text(w, comparison);
  write_text(w, "\":[{\"var\":\"");
  write_text(w, path);
  write_text(w, "\"},");
  write_constant(w, constant);
  write_text(w, "]}");
}

/* A target of another kind is no match. JSON-Logic orders what it can make a number of, so only
 * what "+" leaves as it is, a number, is ordered; where "+" throws there is no match either. */
static void write_value(writer* w, const term* t, const char* comparison) {
  const rz_constant role = {RZ_TARGET_STRING, 0, 0, t->atom.role};
  write_text(w, "{\"and\":[");
  write_compared(w, "===", "role", &role);
  write_text(w, ",");
  if (t->atom.comparison == RZ_COMPARE_EQ) {
    write_compared(w, "===", "target", &t->constant);
  } else {
    write_text(w,
               "{\"try\":[{\"and\":[{\"===\":[{\"+\":[{\"var\":\"target\"}]},"
               "{\"var\":\"target\"}]},");
    write_compared(w, comparison, "target", &t->constant);
    write_text(w, "]},false]}");
  }
  write_text(w, "]}");
}

static void write_term(writer* w, const term* t) {
  static const char* const kPaths[] = {"",      "id",        "author",         "timestamp",
                                       "role",  "target.id", "target.context", "target.delta",
                                       "target"};
  static const char* const kComparisons[] = {"", "===", "<", "<=", ">", ">="};
  const char* const comparison = kComparisons[t->atom.comparison];
  const int pointers = t->atom.path >= RZ_ATOM_ROLE;
  if (t->negated) write_text(w, "{\"!\":");
  if (pointers) write_text(w, "{\"some\":[{\"var\":\"pointers\"},");
  if (t->atom.path == RZ_ATOM_VALUE)
    write_value(w, t, comparison);
  else
    write_compared(w, comparison, kPaths[t->atom.path], &t->constant);
  if (pointers) write_text(w, "]}");
  if (t->negated) write_text(w, "}");
}

static void write_filter(writer* w, const filter* f) {
  write_text(w, "{\"and\":[");
  for (uint32_t i = 0; i < f->count; ++i) {
    if (i != 0) write_text(w, ",");
    write_term(w, &f->terms[i]);
  }
  write_text(w, "]}");
}

static int32_t to_json_logic(void* given, const rz_sink* sink, rz_error* error) {
  writer counting = {NULL, 0, RZ_OK}, writing = {sink, 0, RZ_OK};
  write_filter(&counting, given);
  if (counting.size > RZ_FILTER_MAX_SOURCE)
    return fail(error, RZ_UNSUPPORTED, 0, "as JSON-Logic it would take more than 65,536 bytes");
  write_filter(&writing, given);
  return writing.code;
}

/* ---- the language */

static int32_t open_language(const rz_host* host, rz_bytes config, void** made, rz_error* error) {
  rz_bytes value;
  uint64_t max_terms = MAX_TERMS;
  language* l;
  (void)host;
  if (rz_config_get(config, "max_terms", &value) == RZ_OK &&
      (rz_config_uint(value, &max_terms) != RZ_OK || max_terms == 0 || max_terms > MAX_TERMS))
    return fail(error, RZ_INVALID, 0, "max_terms: expected 1 to 64");
  l = malloc(sizeof *l);
  if (l == NULL) return fail(error, RZ_LIMIT, 0, "out of memory");
  l->max_terms = (uint32_t)max_terms;
  *made = l;
  return RZ_OK;
}

static void close_language(void* given) { free(given); }

static int32_t compile(void* given, rz_bytes source, const rz_filter_budget* budget, void** made,
                       rz_error* error) {
  const language* const l = given;
  int32_t code = RZ_OK;
  filter* const f = parse_filter(source, l->max_terms, &code, error);
  if (f == NULL) return code;
  f->budget.steps = budget != NULL && budget->steps != 0 ? budget->steps : RZ_FILTER_STEPS;
  f->budget.memory_bytes = 0; /* none is used */
  *made = f;
  return RZ_OK;
}

static void release(void* given) { free(given); }

static const rz_filter kFilter = {open_language, close_language, compile,      release,
                                  match,         atoms,          to_json_logic};
static const rz_filter_pairs kPairs = {match_pairs};

static const void* get_interface(const char* id) {
  if (strcmp(id, RZ_FILTER_ID) == 0) return &kFilter;
  return strcmp(id, RZ_FILTER_PAIRS_ID) == 0 ? &kPairs : NULL;
}

extern __attribute__((visibility("default"))) const rz_plugin rhizome_plugin;
const rz_plugin rhizome_plugin = {RZ_ABI_MAJOR, 0, get_interface};
