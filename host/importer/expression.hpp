// Templates of a mapping: text with fields in braces, "subdivision:{code|before:-}". Compiled once
// when the map is read, rendered for each record. docs/import.md is the manual.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "importer/record.hpp"
#include "rhizome/status.hpp"

namespace rhizome::importer {

// One step of a field: what stands after a '|'. A step may find its text missing.
struct Filter {
  enum class Kind {
    kBefore,   // before:S   the text before the first S; missing where there is no S
    kAfter,    // after:S    the text after the first S; missing where there is no S
    kHas,      // has:S      the text itself, missing unless it contains S
    kLacks,    // lacks:S    the text itself, missing where it contains S
    kLower,    // lower      ASCII letters in lower case
    kUpper,    // upper
    kTrim,     // trim       without white space at its ends; missing where nothing is left
    kReplace,  // replace:A:B  every A becomes B
    kDefault,  // default:T  T where the text is missing
  };
  Kind kind;
  std::string first;
  std::string second;
};

class Template {
 public:
  // kInvalid with the column of what is wrong.
  static Result<Template> compile(std::string_view text);

  // Appends the text to `out`; false (and `out` as before) where a field is missing. `each` is the
  // path that fields called "each" stand for; empty: none.
  bool render(const Record& record, std::string_view each, std::string& out) const;
  // The record's own value where the template is one bare field, else null: keeps a number's type.
  const Value* bare(const Record& record, std::string_view each) const;
  const std::string& source() const { return source_; }

 private:
  struct Part {
    std::string text;  // a literal, or the field's path
    bool is_field = false;
    std::vector<Filter> filters;
  };
  static Result<Part> compile_field(std::string_view text);
  std::string source_;
  std::vector<Part> parts_;
};

// Templates in order of preference: the first whose fields are all there is taken.
class Choice {
 public:
  Choice() = default;
  explicit Choice(std::vector<Template> templates) : templates_(std::move(templates)) {}
  bool empty() const { return templates_.empty(); }
  bool render(const Record& record, std::string_view each, std::string& out) const;
  const Value* bare(const Record& record, std::string_view each) const;
  std::string describe() const;  // the sources, for messages

 private:
  std::vector<Template> templates_;
};

}  // namespace rhizome::importer
