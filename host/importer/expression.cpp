// Compiles and renders templates. Pure functions of map and record; any thread.
#include "importer/expression.hpp"

#include <algorithm>
#include <array>

namespace rhizome::importer {
namespace {

struct FilterName {
  std::string_view name;
  Filter::Kind kind;
  int arguments;
};
constexpr std::array<FilterName, 9> kFilters{{{"before", Filter::Kind::kBefore, 1},
                                              {"after", Filter::Kind::kAfter, 1},
                                              {"has", Filter::Kind::kHas, 1},
                                              {"lacks", Filter::Kind::kLacks, 1},
                                              {"lower", Filter::Kind::kLower, 0},
                                              {"upper", Filter::Kind::kUpper, 0},
                                              {"trim", Filter::Kind::kTrim, 0},
                                              {"replace", Filter::Kind::kReplace, 2},
                                              {"default", Filter::Kind::kDefault, 1}}};

// Splits at a separator that no backslash hides, and takes the backslashes away.
std::vector<std::string> split(std::string_view text, char separator, bool unescape) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (!unescape) parts.back() += text[i];
      parts.back() += text[++i];
    } else if (text[i] == separator) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

Result<Filter> compile_filter(std::string_view text) {
  const std::vector<std::string> words = split(text, ':', true);
  const auto known = std::find_if(kFilters.begin(), kFilters.end(),
                                  [&](const FilterName& f) { return f.name == words[0]; });
  if (known == kFilters.end()) {
    std::string names;
    for (const FilterName& f : kFilters) names.append(names.empty() ? "" : ", ").append(f.name);
    return Status(Code::kInvalid, "no filter '" + words[0] + "'; there are: " + names);
  }
  const int arguments = static_cast<int>(words.size()) - 1;
  if (arguments != known->arguments) {
    return Status(Code::kInvalid, "'" + words[0] + "' takes " + std::to_string(known->arguments) +
                                      " arguments, found " + std::to_string(arguments));
  }
  Filter filter{known->kind, arguments > 0 ? words[1] : "", arguments > 1 ? words[2] : ""};
  if (known->arguments > 0 && known->kind != Filter::Kind::kDefault && filter.first.empty()) {
    return Status(Code::kInvalid, "'" + words[0] + "' needs a text after its ':'");
  }
  return filter;
}

// Moves the ASCII letters of one case to the other; a text in UTF-8 stays one.
void change_case(std::string& text, char first, char last) {
  for (char& c : text) {
    if (c >= first && c <= last) c = static_cast<char>(c ^ 0x20);
  }
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
    if (text.size() > kRecordMaxBytes) return;
  }
}

bool trim(std::string& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t end = text.find_last_not_of(kSpace);
  if (end == std::string::npos) return false;
  text.resize(end + 1);
  text.erase(0, text.find_first_not_of(kSpace));
  return true;
}

// Applies one filter to a text that is there; false: it is missing from here on.
bool apply(const Filter& filter, std::string& text) {
  const std::size_t at = filter.first.empty() ? std::string::npos : text.find(filter.first);
  switch (filter.kind) {
    case Filter::Kind::kBefore:
      if (at == std::string::npos) return false;
      text.resize(at);
      return true;
    case Filter::Kind::kAfter:
      if (at == std::string::npos) return false;
      text.erase(0, at + filter.first.size());
      return true;
    case Filter::Kind::kHas:
      return at != std::string::npos;
    case Filter::Kind::kLacks:
      return at == std::string::npos;
    case Filter::Kind::kLower:
      change_case(text, 'A', 'Z');
      return true;
    case Filter::Kind::kUpper:
      change_case(text, 'a', 'z');
      return true;
    case Filter::Kind::kTrim:
      return trim(text);
    case Filter::Kind::kReplace:
      replace_all(text, filter.first, filter.second);
      return true;
    case Filter::Kind::kDefault:
      return true;
  }
  return false;
}

// "each" and "each.code" stand for the element's path; the rest stands for itself.
std::string resolve(const std::string& path, std::string_view each) {
  if (each.empty() || path.compare(0, 4, "each") != 0) return path;
  if (path.size() == 4) return std::string(each);
  return path[4] == '.' ? std::string(each) + path.substr(4) : path;
}

}  // namespace

Result<Template::Part> Template::compile_field(std::string_view text) {
  Part part;
  part.is_field = true;
  const std::vector<std::string> steps = split(text, '|', false);
  for (std::size_t i = 0; i < steps[0].size(); ++i) {
    if (steps[0][i] == '\\' && i + 1 < steps[0].size()) ++i;
    part.text += steps[0][i];
  }
  if (part.text.empty()) return Status(Code::kInvalid, "a field without a name");
  for (std::size_t i = 1; i < steps.size(); ++i) {
    Result<Filter> filter = compile_filter(steps[i]);
    if (!filter) return filter.status();
    part.filters.push_back(std::move(*filter));
  }
  return part;
}

Result<Template> Template::compile(std::string_view text) {
  Template out;
  out.source_ = text;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) out.parts_.push_back({std::move(literal), false, {}});
    literal.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string column = " at column " + std::to_string(i + 1) + " of '" + out.source_ + "'";
    if ((text[i] == '{' || text[i] == '}') && i + 1 < text.size() && text[i + 1] == text[i]) {
      literal += text[i++];
    } else if (text[i] == '}') {
      return Status(Code::kInvalid, "a '}' without its '{'" + column + "; write '}}' for itself");
    } else if (text[i] != '{') {
      literal += text[i];
    } else {
      flush();
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != '}') end += text[end] == '\\' ? 2 : 1;
      if (end >= text.size()) return Status(Code::kInvalid, "a '{' without its '}'" + column);
      Result<Part> part = compile_field(text.substr(i + 1, end - i - 1));
      if (!part) return Status(Code::kInvalid, part.status().message() + column);
      out.parts_.push_back(std::move(*part));
      i = end;
    }
  }
  flush();
  return out;
}

bool Template::render(const Record& record, std::string_view each, std::string& out) const {
  const std::size_t before = out.size();
  for (const Part& part : parts_) {
    if (!part.is_field) {
      out += part.text;
      continue;
    }
    const Value* value = record.find(resolve(part.text, each));
    bool there = value != nullptr;
    std::string text = there ? value->text : std::string();
    for (const Filter& filter : part.filters) {
      if (there) {
        there = apply(filter, text);
      } else if (filter.kind == Filter::Kind::kDefault) {
        text = filter.first;
        there = true;
      }
    }
    if (!there || out.size() + text.size() > kRecordMaxBytes) {
      out.resize(before);
      return false;
    }
    out += text;
  }
  return true;
}

const Value* Template::bare(const Record& record, std::string_view each) const {
  if (parts_.size() != 1 || !parts_[0].is_field || !parts_[0].filters.empty()) return nullptr;
  return record.find(resolve(parts_[0].text, each));
}

bool Choice::render(const Record& record, std::string_view each, std::string& out) const {
  return std::any_of(templates_.begin(), templates_.end(),
                     [&](const Template& t) { return t.render(record, each, out); });
}

const Value* Choice::bare(const Record& record, std::string_view each) const {
  std::string text;
  for (const Template& t : templates_) {
    if (t.render(record, each, text)) return t.bare(record, each);
  }
  return nullptr;
}

std::string Choice::describe() const {
  std::string out;
  for (const Template& t : templates_) out += (out.empty() ? "'" : " or '") + t.source() + "'";
  return out;
}

}  // namespace rhizome::importer
