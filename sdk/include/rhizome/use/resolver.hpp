// Using a resolver plugin from C++: owning handles over rhizome/abi/resolver.h. For the host and
// the conformance suite; the author of a resolver needs rhizome/resolver.hpp instead. What a plugin
// answers is checked here, as it may come from anywhere.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/abi/resolver.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/host.hpp"

namespace rhizome::use {

// The tables of a resolver plugin; `fold` is nullptr where it lacks the incremental form.
struct ResolverTables {
  const rz_resolver* resolver = nullptr;
  const rz_resolver_fold* fold = nullptr;
};

// One open instance, shared by its copies and by the resolvers that it made: the last of them
// closes it. An empty one has no resolvers. Any thread.
class Resolvers {
 public:
  Resolvers() = default;
  // `config_json`: accepted by the manifest's schema, defaults filled in.
  static Result<Resolvers> open(const ResolverTables& tables, InstanceHostPtr host,
                                ByteView config_json);

  explicit operator bool() const { return instance_ != nullptr; }
  // REQUIRES of the rest: it is not empty.
  const ResolverTables& tables() const { return instance_->tables; }
  void* handle() const { return instance_->handle; }
  // In ascending order. kInvalid where the plugin breaks the contract: no name, more than 256, one
  // twice, or one of other characters than a-z, 0-9, '-' and '.'.
  Result<std::vector<std::string>> names() const;

 private:
  struct Instance {
    Instance(const ResolverTables& given, InstanceHostPtr its_host, void* its_handle)
        : tables(given), host(std::move(its_host)), handle(its_handle) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance() {
      host->end_timers();
      tables.resolver->close(handle);
    }
    const ResolverTables tables;
    const InstanceHostPtr host;
    void* const handle;
  };
  std::shared_ptr<const Instance> instance_;
};

// Which candidates of a property decided: by index.
struct Decided {
  std::vector<std::uint64_t> words;
  bool has(std::size_t i) const { return i / 64 < words.size() && (words[i / 64] >> i % 64 & 1); }
};

// What a resolver answered for one wanted property.
struct Resolution {
  std::optional<std::string> json;  // none: the property has no value
  Decided decided;
  std::vector<std::pair<std::size_t, Decided>> rests_on;  // of which other property
};

// One resolver with its options. Immutable; any thread.
class Resolver {
 public:
  // REQUIRES: `resolvers` is not empty. kNotFound for an unknown name: the message lists the known
  // ones. kInvalid for options that it does not take.
  static Result<Resolver> create(const Resolvers& resolvers, ByteView name, ByteView options = {});
  Resolver(Resolver&& other) noexcept
      : resolvers_(std::move(other.resolvers_)),
        handle_(std::exchange(other.handle_, nullptr)),
        inputs_(other.inputs_),
        dependencies_(std::move(other.dependencies_)) {}
  Resolver& operator=(Resolver&&) = delete;
  ~Resolver() {
    if (handle_ != nullptr) resolvers_.tables().resolver->release(handle_);
  }

  std::uint64_t inputs() const { return inputs_; }
  bool reads(std::uint64_t input) const { return (inputs_ & input) != 0; }
  // Whether other nodes with the same deltas may see another value.
  bool is_local() const { return reads(RZ_INPUT_LOCAL); }
  const std::vector<std::string>& dependencies() const { return dependencies_; }

  // answers[i] is that of properties[i] where it is wanted, and empty where it is not. kInternal
  // where the plugin breaks the contract.
  Result<std::vector<Resolution>> resolve(std::span<const rz_property> properties) const;

  const Resolvers& resolvers() const { return resolvers_; }
  void* handle() const { return handle_; }

 private:
  Resolver(Resolvers resolvers, void* handle) : resolvers_(std::move(resolvers)), handle_(handle) {}
  Status describe();

  Resolvers resolvers_;
  void* handle_;
  std::uint64_t inputs_ = 0;
  std::vector<std::string> dependencies_;
};

// The state of an incremental form. One call at a time.
class ResolverFold {
 public:
  struct Value {
    std::optional<std::string> json;
    std::vector<std::string> decided;  // ids, 34 bytes each, in any order
    bool decided_by_all = false;       // instead of `decided`
  };
  // kUnsupported where this resolver has none. `resolver` is borrowed: it outlives the state.
  static Result<ResolverFold> start(const Resolver& resolver);
  ResolverFold(ResolverFold&& other) noexcept
      : table_(other.table_), state_(std::exchange(other.state_, nullptr)) {}
  ResolverFold& operator=(ResolverFold&&) = delete;
  ~ResolverFold() {
    if (state_ != nullptr) table_->end(state_);
  }
  Status add(const rz_candidate& candidate);
  // kUnsupported: begin again with what is left.
  Status remove(const rz_candidate& candidate);
  Result<Value> value() const;

 private:
  ResolverFold(const rz_resolver_fold* table, void* state) : table_(table), state_(state) {}
  const rz_resolver_fold* table_;
  void* state_;
};

}  // namespace rhizome::use

#include "rhizome/use/resolver_fold.hpp"
