// Writing resolvers in C++: derive from plugin::Resolver and plugin::Resolvers, give the latter a
// static `open`, and export resolver_table<YourResolvers>(). The trampolines find the properties,
// say of duplicates what was said of one of them, and keep exceptions inside. The contract is
// rhizome/abi/resolver.h; the suite that checks it is rhizome-resolver-conformance
// (docs/resolvers.md); README.md has a whole plugin, plugins/resolvers/standard the default ones.
//
//   class MyResolvers final : public plugin::Resolvers {
//    public:
//     static Result<std::unique_ptr<plugin::Resolvers>> open(plugin::Host, ByteView config_json);
//     std::vector<std::string> names() const override;
//     Result<std::unique_ptr<plugin::Resolver>> create(ByteView name, ByteView options) override;
//   };
//   RHIZOME_PLUGIN({RZ_RESOLVER_ID, rhizome::plugin::resolver_table<MyResolvers>()},
//                  {RZ_RESOLVER_FOLD_ID, rhizome::plugin::resolver_fold_table()})   // optional
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rhizome/abi/resolver.h"
#include "rhizome/config.hpp"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

inline ByteView id_of(const rz_candidate& candidate) {
  return view(candidate.id, RZ_DELTA_ID_SIZE);
}

// The order by which a choice is usually made: the claimed time, then the delta id, which no two
// deltas share. REQUIRES: RZ_INPUT_TIMESTAMP is among the inputs.
inline bool is_earlier(const rz_candidate& a, const rz_candidate& b) {
  return a.timestamp != b.timestamp ? a.timestamp < b.timestamp : id_of(a) < id_of(b);
}

// One property and its candidates, in no order. Borrowed for the call.
class Property {
 public:
  class Iterator {
   public:
    Iterator(const Property* property, std::size_t at) : property_(property), at_(at) {}
    const rz_candidate& operator*() const { return (*property_)[at_]; }
    const rz_candidate* operator->() const { return &(*property_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Property* property_;
    std::size_t at_;
  };

  ByteView entity() const { return view(table_->entity); }
  ByteView name() const { return view(table_->name); }
  std::size_t size() const { return static_cast<std::size_t>(table_->count); }
  const rz_candidate& operator[](std::size_t i) const {
    return *reinterpret_cast<const rz_candidate*>(
        reinterpret_cast<const char*>(table_->candidates) + i * table_->candidate_stride);
  }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }
  // Another property of the entity, which Reads::dependencies names; without candidates where the
  // entity has none.
  Property other(ByteView name) const;

 private:
  friend class Resolution;
  friend struct ResolveCall;
  Property(const rz_property* table, const struct ResolveCall* call, std::size_t index)
      : table_(table), call_(call), index_(index) {}
  const rz_property* table_;
  const ResolveCall* call_;
  std::size_t index_;
};

// The answer for one property: its value, and which candidates decided it. Empty: no value.
class Resolution {
 public:
  // This candidate is the value. REQUIRES: RZ_INPUT_JSON is among the inputs.
  void choose(const rz_candidate& candidate) {
    json.assign(view(candidate.json));
    decided_by(candidate);
  }
  // One of those that decided; its duplicates are found. Of this property or of a dependency.
  void decided_by(const rz_candidate& candidate) { decided_.push_back(&candidate); }
  void decided_by_all() { all_ = true; }

  std::string json;  // the value as JSON text on one line

 private:
  friend struct ResolveCall;
  std::vector<const rz_candidate*> decided_;
  bool all_ = false;
};

// What a resolver reads beside the kind, number, text, context and id of candidates.
struct Reads {
  std::uint64_t inputs = RZ_INPUT_JSON | RZ_INPUT_TIMESTAMP;
  std::vector<std::string> dependencies = {};  // other properties of the entity
};

// The incremental form of a resolver: what it knows of a set that grows and shrinks. One call at a
// time. [owner]
class Fold {
 public:
  struct Value {
    std::string json;              // empty: none
    std::vector<std::string> ids;  // of the candidates that decided it, 34 bytes each
    bool decided_by_all = false;   // instead of `ids`
  };
  virtual ~Fold() = default;
  virtual Status add(const rz_candidate& candidate) = 0;
  // kUnsupported: the caller has to begin again with what is left.
  virtual Status remove(const rz_candidate&) {
    return {Code::kUnsupported, "what is left is not known: recompute"};
  }
  virtual Status value(Value& out) const = 0;
};

// One resolver with its options. Never changes; every call may come from any thread.
class Resolver {
 public:
  virtual ~Resolver() = default;
  virtual Reads reads() const { return {}; }
  // The same answer whatever the order of the candidates and however often each of them is there.
  virtual Status resolve(const Property& property, Resolution& out) const = 0;
  virtual Result<std::unique_ptr<Fold>> fold() const {
    return Status(Code::kUnsupported, "this resolver has no incremental form");
  }
};

// One open instance, closed by its destructor when all of its resolvers are gone. The host that
// `open` got may be kept until then.
class Resolvers {
 public:
  virtual ~Resolvers() = default;
  virtual std::vector<std::string> names() const = 0;
  // `name` is one of names(); `options` is a JSON object, "{}" where none were given.
  virtual Result<std::unique_ptr<Resolver>> create(ByteView name, ByteView options) = 0;
};

// kInvalid where `options` has any member: for resolvers that take none. Those that take some read
// them with plugin::ConfigReader.
inline Status no_options(ByteView name, ByteView options) {
  return ConfigReader("resolver " + std::string(name), options).finish();
}

// The frozen table of T, and the one of the incremental form, which all resolvers share.
template <typename T>
const rz_resolver* resolver_table();
const rz_resolver_fold* resolver_fold_table();

}  // namespace rhizome::plugin

#include "rhizome/resolver_fold_table.hpp"
