// Writes the shorthands out: {"@entity": ...} and its like become plain JSON-Logic, so that a rule
// means the same on a node that has never heard of them. Called by compile; pure, any thread.
#include <algorithm>

#include "program.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr std::string_view kComparisons[] = {"==", "===", "!=", "!==", "<", "<=", ">", ">=", "in"};

class Expander {
 public:
  explicit Expander(Program& program) : program_(program), arena_(program.arena) {}

  Result<Value> run(const Value& rule) {
    const Value result = expand(rule, 0);
    if (!problem_.ok()) return std::move(problem_);
    return result;
  }

 private:
  // `depth`: how many scopes (bodies of map, some, try ...) stand around the rule.
  Value expand(const Value& rule, std::uint32_t depth) {
    if (!problem_.ok()) return rule;
    if (rule.is(Kind::kArray)) return expand_items(rule, depth, depth, 0);
    if (!rule.is(Kind::kObject) || rule.size != 1) return rule;
    const std::string_view name = rule.members[0].name.string();
    const Value& argument = rule.members[0].value;
    if (name == "preserve") return rule;
    place_.emplace_back(name);
    Value result = rule;
    if (!name.empty() && name[0] == '@') {
      result = shorthand(name, argument, depth);
    } else {
      const bool iterates = name == "map" || name == "filter" || name == "reduce" ||
                            name == "all" || name == "some" || name == "none";
      // The scope of a body; reduce's initial value stands outside again.
      const std::uint32_t to = name == "try" ? UINT32_MAX : 2;
      const bool scoped = (iterates || name == "try") && argument.is(Kind::kArray);
      const Value inner =
          scoped ? expand_items(argument, depth, depth + 1, to) : expand(argument, depth);
      if (!moved(inner, argument)) {
        place_.pop_back();
        return rule;  // nothing to write out in it
      }
      result = call(name, inner);
    }
    place_.pop_back();
    return result;
  }

  // Items 1 to `to` stand in the scope `inner`, the others in `depth`.
  Value expand_items(const Value& array, std::uint32_t depth, std::uint32_t inner,
                     std::uint32_t to) {
    Value* copy = nullptr;
    for (std::uint32_t i = 0; i < array.size; ++i) {
      place_.push_back(std::to_string(i));
      const Value item = expand(array.items[i], i > 0 && i < to ? inner : depth);
      place_.pop_back();
      if (moved(item, array.items[i]) && copy == nullptr) {
        copy = make<Value>(array.size);
        if (copy == nullptr) return array;
        std::copy(array.items, array.items + array.size, copy);
      }
      if (copy != nullptr) copy[i] = item;
    }
    return copy == nullptr ? array : Value::array(copy, array.size);
  }

  Value shorthand(std::string_view name, const Value& argument, std::uint32_t depth) {
    name_ = name;
    if (name == "@entity") {
      if (strings(argument, 2))
        return some(depth, both(is("target.id", argument.items[0]),
                                is("target.context", argument.items[1])));
      if (argument.is(Kind::kString)) return some(depth, is("target.id", argument));
      return refuse("expected an entity's id, or [id, context]");
    }
    if (name == "@value") return value(argument, depth);
    const char* path = name == "@context"     ? "target.context"
                       : name == "@role"      ? "role"
                       : name == "@reference" ? "target.delta"
                                              : nullptr;
    if (path == nullptr)
      return refuse("an unknown shorthand; known: @entity, @context, @role, @reference, @value");
    if (!argument.is(Kind::kString)) return refuse("expected a text");
    return some(depth, is(path, argument));
  }

  Value value(const Value& argument, std::uint32_t depth) {
    if (argument.is(Kind::kString)) {
      const Value first = call("??", list({var("accumulator"), var("current.target")}));
      const Value held = call("filter", list({pointers(depth), is("role", argument)}));
      return call("reduce", list({held, first, Value::null()}));
    }
    if (!argument.is(Kind::kArray) || argument.size != 3 || !argument.items[0].is(Kind::kString) ||
        !argument.items[1].is(Kind::kString) || argument.items[2].is(Kind::kObject))
      return refuse("expected a role, or [role, comparison, constant]");
    const std::string_view comparison = argument.items[1].string();
    if (std::find(std::begin(kComparisons), std::end(kComparisons), comparison) ==
        std::end(kComparisons))
      return refuse("an unknown comparison; known: == === != !== < <= > >= in");
    // A value of another type is no match, and no mistake either.
    const Value compared = call(comparison, list({var("target"), argument.items[2]}));
    const Value tried = call("try", list({compared, Value::boolean(false)}));
    return some(depth, both(is("role", argument.items[0]), tried));
  }

  static bool strings(const Value& value, std::uint32_t count) {
    return value.is(Kind::kArray) && value.size == count &&
           std::all_of(value.items, value.items + count,
                       [](const Value& item) { return item.is(Kind::kString); });
  }

  Value pointers(std::uint32_t depth) {
    if (depth == 0) return var("pointers");
    const Value climb = list({Value::of(2.0 * depth)});
    return call("val", list({climb, Value::of(std::string_view("pointers"))}));
  }
  Value var(std::string_view path) { return call("var", Value::of(path)); }
  Value is(std::string_view path, const Value& text) {
    return call("===", list({var(path), text}));
  }
  Value both(const Value& a, const Value& b) { return call("and", list({a, b})); }
  Value some(std::uint32_t depth, const Value& body) {
    return call("some", list({pointers(depth), body}));
  }
  Value call(std::string_view name, const Value& argument) {
    auto* member = make<Member>(1);
    if (member == nullptr) return argument;
    *member = {Value::of(name), argument};
    return Value::object(member, 1);
  }
  Value list(std::initializer_list<Value> items) {
    auto* copy = make<Value>(items.size());
    if (copy == nullptr) return Value::null();
    std::copy(items.begin(), items.end(), copy);
    return Value::array(copy, items.size());
  }

  Value refuse(const char* what) {
    if (problem_.ok())
      problem_ =
          Status(Code::kInvalid, place_text(place_) + ": " + what, program_.position_of(name_));
    return Value::null();
  }
  template <typename T>
  T* make(std::size_t count) {
    T* memory = arena_.allocate<T>(count);
    if (memory == nullptr && problem_.ok())
      problem_ = Status(Code::kLimit, "the rule takes more memory than the limit");
    return memory;
  }

  Program& program_;
  Arena& arena_;
  std::string_view name_;  // of the shorthand that is looked at
  Place place_;
  Status problem_;
};

}  // namespace

std::string place_text(const Place& place) {
  std::string text = "rule";
  for (const std::string& part : place) text.append("/").append(part.substr(0, 32));
  return text.size() <= 240 ? text : text.substr(0, 240) + "...";
}

bool moved(const Value& to, const Value& from) {
  return (to.is(Kind::kArray) && to.items != from.items) ||
         (to.is(Kind::kObject) && to.members != from.members);
}

Result<Value> expand(const Value& rule, Program& program) { return Expander(program).run(rule); }

}  // namespace rhizome::jsonlogic
