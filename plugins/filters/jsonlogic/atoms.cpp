// The necessary conditions of a predicate, as a small disjunction of conjunctions. Sound by
// construction: what is not understood is "anything", and dropping a condition only admits more.
#include <algorithm>
#include <optional>

#include "predicate.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr std::size_t kMaxDisjuncts = 32;
constexpr std::size_t kMaxConditions = 8;

struct Atom {
  std::string path;  // "target" until its pointer's role is known
  std::string comparison;
  std::string constant;  // JSON
  std::string role;      // the text of a role's atom

  bool operator==(const Atom& other) const {
    return path == other.path && comparison == other.comparison && constant == other.constant;
  }
};
using Conditions = std::vector<Atom>;          // all of them hold
using Alternatives = std::vector<Conditions>;  // one of them holds; {{}}: anything

Alternatives anything() { return {Conditions{}}; }

class Atoms {
 public:
  explicit Atoms(const Predicate& predicate) : q_(predicate) {}

  Alternatives of(const Test& test) const {
    switch (test.ask) {
      case Ask::kConstant:
        return test.count != 0 ? anything() : Alternatives{};
      case Ask::kAll:
        return all(test);
      case Ask::kAny:
        return any(test);
      case Ask::kText:
        return test.negated || path_of(test.field).empty() ? anything() : one(text_atom(test));
      case Ask::kTextIn:
        if (path_of(test.field).empty()) return anything();
        return one({path_of(test.field), "in", texts(test), ""});
      case Ask::kId:
        return test.negated ? anything() : one(id_atom(test));
      case Ask::kTime:
        return time(test);
      case Ask::kTarget:
        return target(test);
      case Ask::kTargetIn:
        return target_in(test);
      case Ask::kSomePointer:
      case Ask::kEveryPointer:  // of all, and there is one: so of one
        return pointer(q_.tests[test.first]);
      case Ask::kTry:
        return test.count != 0 ? anything() : of(q_.tests[test.first]);
      default:
        return anything();
    }
  }

 private:
  static Alternatives one(Atom atom) { return {Conditions{std::move(atom)}}; }

  Alternatives any(const Test& test) const {
    Alternatives result;
    for (std::uint32_t i = 0; i < test.count; ++i) {
      for (Conditions& conditions : of(q_.tests[test.first + i])) {
        if (conditions.empty()) return anything();
        if (result.size() == kMaxDisjuncts) return anything();
        result.push_back(std::move(conditions));
      }
    }
    return result;
  }

  Alternatives all(const Test& test) const {
    Alternatives result = anything();
    for (std::uint32_t i = 0; i < test.count; ++i) {
      const Alternatives more = of(q_.tests[test.first + i]);
      if (more.empty()) return {};
      if (result.size() * more.size() > kMaxDisjuncts) continue;
      Alternatives product;
      for (const Conditions& left : result)
        for (const Conditions& right : more) product.push_back(joined(left, right));
      result = std::move(product);
    }
    return result;
  }
  static Conditions joined(Conditions left, const Conditions& right) {
    for (const Atom& atom : right)
      if (left.size() < kMaxConditions && std::find(left.begin(), left.end(), atom) == left.end())
        left.push_back(atom);
    return left;
  }

  // Conditions on one pointer become conditions on the delta: its target is known by its role.
  Alternatives pointer(const Test& body) const {
    Alternatives result = of(body);
    for (Conditions& conditions : result) {
      const auto role = std::find_if(conditions.begin(), conditions.end(),
                                     [](const Atom& atom) { return !atom.role.empty(); });
      const std::string name = role == conditions.end() ? "" : role->role;
      Conditions kept;
      for (Atom& atom : conditions) {
        if (atom.path == "target" && name.empty()) continue;
        if (atom.path == "target") atom.path = "value:" + name;
        atom.role.clear();
        kept.push_back(std::move(atom));
      }
      conditions = std::move(kept);
    }
    return result;
  }

  static std::string quoted(std::string_view text) {
    std::string json;
    append_string(text, json);
    return json;
  }
  // Empty where atoms have no path for the field.
  static std::string path_of(TextField field) {
    switch (field) {
      case TextField::kAuthor:
        return "author";
      case TextField::kRole:
        return "role";
      case TextField::kEntity:
        return "entity";
      case TextField::kContext:
        return "context";
      case TextField::kReference:
        break;
    }
    return "";
  }
  Atom text_atom(const Test& test) const {
    const std::string_view text(test.text, test.count);
    return {path_of(test.field), "==", quoted(text),
            test.field == TextField::kRole ? std::string(text) : ""};
  }
  static Atom id_atom(const Test& test) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex = "\"";
    for (std::size_t i = 0; i < RZ_DELTA_ID_SIZE; ++i) {
      const auto byte = static_cast<unsigned char>(test.text[i]);
      hex.push_back(kDigits[byte >> 4]);
      hex.push_back(kDigits[byte & 15]);
    }
    return {"id", "==", hex + "\"", ""};
  }
  std::string texts(const Test& test) const {
    std::string json = "[";
    for (std::uint32_t i = 0; i < test.count; ++i) {
      if (i != 0) json.push_back(',');
      json.append(quoted(q_.texts[test.first + i]));
    }
    return json + "]";
  }
  // nullptr where there is no condition of the kind.
  static const char* comparison_of(Op op) {
    return op == Op::kEqual          ? "=="
           : op == Op::kLess         ? "<"
           : op == Op::kLessEqual    ? "<="
           : op == Op::kGreater      ? ">"
           : op == Op::kGreaterEqual ? ">="
                                     : nullptr;
  }
  static Alternatives time(const Test& test) {
    const char* comparison = comparison_of(test.op);
    if (comparison == nullptr) return anything();
    std::string number;
    append_number(test.number, number);
    return one({"timestamp", comparison, number, ""});
  }
  // A loose comparison takes the text "5" and the boolean of a number for the number, and so does a
  // condition on a value (rhizome/abi/filter.h).
  Alternatives target(const Test& test) const {
    const Value& with = q_.literals[test.first];
    if (test.op == Op::kStrictEqual) {
      if (with.is(Kind::kNull)) return {};  // a pointer has a target
      return one({"target", "==", json_of(with), ""});
    }
    const char* comparison = comparison_of(test.op);
    if (comparison == nullptr || with.is(Kind::kNull)) return anything();
    const std::optional<double> number = to_number(with);
    if (test.op == Op::kEqual) {
      // What is no number equals nothing but itself.
      if (!number) return one({"target", "==", json_of(with), ""});
    } else if (with.is(Kind::kString)) {
      return anything();  // beside a text, texts are ordered as texts
    }
    std::string text;
    append_number(*number, text);
    return one({"target", comparison, text, ""});
  }
  Alternatives target_in(const Test& test) const {
    const Value& list = q_.literals[test.first];
    std::string json = "[";
    for (std::uint32_t i = 0; i < list.size; ++i) {
      // What is no primitive can be the target of a pointer that has no primitive value.
      if (list.items[i].is_array() || is_object(list.items[i])) return anything();
      if (i != 0) json.push_back(',');
      json.append(json_of(list.items[i]));
    }
    return one({"target", "in", json + "]", ""});
  }
  static std::string json_of(const Value& primitive) {
    Arena none(0);
    Run run(none, {UINT64_MAX, 1, UINT64_MAX});
    std::string json;
    append_json(primitive, json, run);
    return json;
  }

  const Predicate& q_;
};

}  // namespace

void atoms_json(const Predicate& predicate, std::string& json) {
  const Alternatives found = Atoms(predicate).of(predicate.root);
  const bool any = std::any_of(found.begin(), found.end(),
                               [](const Conditions& conditions) { return conditions.empty(); });
  if (any) {
    json.append("null");
    return;
  }
  json.push_back('[');
  for (std::size_t i = 0; i < found.size(); ++i) {
    json.append(i == 0 ? "[" : ",[");
    for (std::size_t k = 0; k < found[i].size(); ++k) {
      const Atom& atom = found[i][k];
      json.append(k == 0 ? "[" : ",[");
      append_string(atom.path, json);
      json.append(",\"" + atom.comparison + "\"," + atom.constant + "]");
    }
    json.push_back(']');
  }
  json.push_back(']');
}

}  // namespace rhizome::jsonlogic
