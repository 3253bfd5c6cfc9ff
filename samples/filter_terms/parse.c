/* From a source to a filter; see terms.h. Sources come from strangers: nothing is read past the
 * end, and the work is linear in the size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terms.h"

typedef struct parser {
  const char* begin;
  const char* at;
  const char* end;
  char* texts; /* where the next text goes */
  const char* wrong;
  int32_t code;
} parser;

int32_t fail(rz_error* error, int32_t code, uint64_t position, const char* message) {
  if (error != NULL) {
    error->position = position;
    snprintf(error->message, sizeof error->message, "%s", message);
  }
  return code;
}

/* Remembers the first mistake. */
static int mistake(parser* p, const char* what) {
  if (p->wrong == NULL) p->wrong = what;
  return 0;
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static int ends_word(char c) { return is_blank(c) || c == '=' || c == '<' || c == '>' || c == '"'; }

static void skip_blanks(parser* p) {
  while (p->at < p->end && is_blank(*p->at)) ++p->at;
}

/* The word that comes next; empty where none does. */
static rz_bytes peek_word(parser* p) {
  const char* end;
  skip_blanks(p);
  for (end = p->at; end < p->end && !ends_word(*end); ++end) continue;
  return (rz_bytes){p->at, (uint64_t)(end - p->at)};
}

static int is(rz_bytes word, const char* text) {
  return word.size == strlen(text) && memcmp(word.data, text, (size_t)word.size) == 0;
}

static int take_word(parser* p, const char* text) {
  const rz_bytes word = peek_word(p);
  if (!is(word, text)) return 0;
  p->at += word.size;
  return 1;
}

/* How many bytes the character at `at` takes in UTF-8 (RFC 3629); 0 where it is none. */
static size_t utf8(const unsigned char* at, size_t left) {
  const unsigned c = at[0];
  const size_t size = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
  if (size == 0 || size > left) return 0;
  for (size_t i = 1; i < size; ++i)
    if ((at[i] & 0xC0) != 0x80) return 0;
  if ((c == 0xE0 && at[1] < 0xA0) || (c == 0xED && at[1] >= 0xA0)) return 0;
  if ((c == 0xF0 && at[1] < 0x90) || (c == 0xF4 && at[1] >= 0x90)) return 0;
  return size;
}

/* Copies the character at the parser's place to the texts. */
static int copy_character(parser* p) {
  const size_t size = utf8((const unsigned char*)p->at, (size_t)(p->end - p->at));
  if (size == 0) return mistake(p, "not UTF-8");
  memcpy(p->texts, p->at, size);
  p->texts += size;
  p->at += size;
  return 1;
}

/* The text between quotes, behind the first of them. */
static int parse_text(parser* p, rz_constant* constant) {
  char* const text = p->texts;
  for (++p->at; p->at < p->end && *p->at != '"';) {
    if (*p->at == '\\') {
      ++p->at;
      if (p->at == p->end || (*p->at != '"' && *p->at != '\\'))
        return mistake(p, "expected \\\" or \\\\ behind a backslash");
    }
    if (!copy_character(p)) return 0;
  }
  if (p->at == p->end) return mistake(p, "a text without an end; expected \"");
  ++p->at;
  constant->kind = RZ_TARGET_STRING;
  constant->text = (rz_bytes){text, (uint64_t)(p->texts - text)};
  return 1;
}

/* A decimal number; strtod alone would take hexadecimal ones, infinities and more. */
static int parse_number(parser* p, rz_bytes word, rz_constant* constant) {
  char digits[64];
  char* rest = NULL;
  if (word.size == 0 || word.size >= sizeof digits) return mistake(p, "expected a constant");
  for (uint64_t i = 0; i < word.size; ++i) {
    digits[i] = ((const char*)word.data)[i];
    if (strchr("0123456789+-.eE", digits[i]) == NULL)
      return mistake(p, "expected \"text\", a number, true or false");
  }
  digits[word.size] = '\0';
  constant->kind = RZ_TARGET_NUMBER;
  constant->number = strtod(digits, &rest);
  if (*rest != '\0' || constant->number - constant->number != 0)
    return mistake(p, "expected a number that a double can hold");
  p->at += word.size;
  return 1;
}

static int parse_constant(parser* p, rz_constant* constant) {
  const rz_bytes word = peek_word(p);
  if (word.size == 0 && p->at < p->end && *p->at == '"') return parse_text(p, constant);
  if (!is(word, "true") && !is(word, "false")) return parse_number(p, word, constant);
  constant->kind = RZ_TARGET_BOOLEAN;
  constant->number = is(word, "true") ? 1 : 0;
  p->at += word.size;
  return 1;
}

static int parse_path(parser* p, rz_atom* atom) {
  static const struct {
    const char* name;
    uint32_t path;
  } kPaths[] = {{"author", RZ_ATOM_AUTHOR},       {"id", RZ_ATOM_ID},
                {"timestamp", RZ_ATOM_TIMESTAMP}, {"role", RZ_ATOM_ROLE},
                {"entity", RZ_ATOM_ENTITY},       {"context", RZ_ATOM_CONTEXT},
                {"reference", RZ_ATOM_REFERENCE}};
  const rz_bytes word = peek_word(p);
  char* const role = p->texts;
  for (size_t i = 0; i < sizeof kPaths / sizeof kPaths[0]; ++i) {
    if (!is(word, kPaths[i].name)) continue;
    atom->path = kPaths[i].path;
    p->at += word.size;
    return 1;
  }
  if (word.size <= 6 || memcmp(word.data, "value:", 6) != 0)
    return mistake(
        p, "expected author, id, timestamp, role, entity, context, reference or value:ROLE");
  atom->path = RZ_ATOM_VALUE;
  for (p->at += 6; p->at < (const char*)word.data + word.size;)
    if (!copy_character(p)) return 0;
  atom->role = (rz_bytes){role, (uint64_t)(p->texts - role)};
  return 1;
}

static int parse_comparison(parser* p, rz_atom* atom) {
  char first, second;
  skip_blanks(p);
  first = p->at < p->end ? *p->at : '\0';
  second = p->end - p->at > 1 ? p->at[1] : '\0';
  if (first == '=')
    atom->comparison = RZ_COMPARE_EQ;
  else if (first == '<')
    atom->comparison = second == '=' ? RZ_COMPARE_LE : RZ_COMPARE_LT;
  else if (first == '>')
    atom->comparison = second == '=' ? RZ_COMPARE_GE : RZ_COMPARE_GT;
  else
    return mistake(p, "expected =, <, <=, > or >=");
  p->at += first != '=' && second == '=' ? 2 : 1;
  return 1;
}

/* Numbers are ordered, texts are equal or not, and each path but a value has one kind. */
static int check_kinds(parser* p, const term* t) {
  const uint32_t kind = t->constant.kind;
  if (t->atom.path == RZ_ATOM_TIMESTAMP && kind != RZ_TARGET_NUMBER)
    return mistake(p, "a timestamp compares with a number");
  if (t->atom.path != RZ_ATOM_TIMESTAMP && t->atom.path != RZ_ATOM_VALUE &&
      kind != RZ_TARGET_STRING)
    return mistake(p, "this path compares with a text");
  if (t->atom.comparison != RZ_COMPARE_EQ && kind != RZ_TARGET_NUMBER)
    return mistake(p, "only numbers are ordered; expected = or a number");
  return 1;
}

static int parse_term(parser* p, term* t) {
  const char* start;
  memset(t, 0, sizeof *t);
  t->negated = (uint32_t)take_word(p, "not");
  skip_blanks(p);
  start = p->at;
  t->atom.typing = RZ_TYPING_STRICT;
  if (!parse_path(p, &t->atom) || !parse_comparison(p, &t->atom)) return 0;
  if (!parse_constant(p, &t->constant)) return 0;
  if (!check_kinds(p, t)) {
    p->at = start;
    return 0;
  }
  t->atom.constants = &t->constant;
  t->atom.constant_count = 1;
  return 1;
}

static int parse_all(parser* p, filter* made, uint32_t max_terms) {
  do {
    if (made->count == max_terms) {
      p->code = RZ_LIMIT;
      return mistake(p, "more terms than max_terms of the config");
    }
    if (!parse_term(p, &made->terms[made->count])) return 0;
    ++made->count;
  } while (take_word(p, "and"));
  skip_blanks(p);
  return p->at == p->end || mistake(p, "expected `and` or the end");
}

filter* parse_filter(rz_bytes source, uint32_t max_terms, int32_t* code, rz_error* error) {
  parser p = {source.data, source.data, NULL, NULL, NULL, RZ_INVALID};
  filter* made;
  if (source.size > RZ_FILTER_MAX_SOURCE) {
    *code = fail(error, RZ_LIMIT, 0, "a source of more than 65,536 bytes");
    return NULL;
  }
  /* Texts take no more room than the source has bytes. */
  made = malloc(sizeof *made + (size_t)source.size + 1);
  if (made == NULL) {
    *code = fail(error, RZ_LIMIT, 0, "out of memory");
    return NULL;
  }
  if (source.size == 0) p.begin = p.at = "";
  p.end = p.begin + source.size;
  p.texts = made->texts;
  made->count = 0;
  if (parse_all(&p, made, max_terms)) return made;
  *code = fail(error, p.code, (uint64_t)(p.at - p.begin) + 1, p.wrong);
  free(made);
  return NULL;
}
