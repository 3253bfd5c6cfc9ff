// What an API is made of, and views.
#include "api/api.hpp"

#include "api/token_wait.hpp"

namespace rhizome::api {

Parts Parts::of(NodeCore& core) {
  StandardServices& services = core.services();
  Parts parts(core.executor(), core.journal(), core.admission(), core.authoring(),
              *services.extents);
  parts.feeds = services.feeds;
  parts.core = &core;
  return parts;
}

Api::Api(Parts parts)
    : parts_(std::move(parts)),
      waits_(std::make_shared<Waits>(parts_.executor)),
      writes_(std::make_shared<WriteQueue>(parts_.executor, parts_.authoring)),
      started_ns_(parts_.executor.monotonic_ns()) {
  // Both hold listeners for their whole life; theirs may be longer than the API's.
  parts_.journal.on_commit(
      [weak = std::weak_ptr<Waits>(waits_)](Seq, Seq, std::span<const Statement>) {
        if (const auto waits = weak.lock()) waits->changed();
      });
  parts_.extents.on_change([weak = std::weak_ptr<Waits>(waits_)] {
    if (const auto waits = weak.lock()) waits->changed();
  });
}

Api::~Api() { stop(); }

void Api::stop() {
  writes_->stop();
  waits_->stop();
}

Result<GetResult> Api::view_of(const GetRequest& request, const ReadNeeds& needs,
                               TokensRead tokens) const {
  Reader reader(parts_.extents, needs, std::move(tokens));
  if (request.lossless) {
    Result<LosslessView> view = lossless_view(parts_.journal, request.entity, &reader);
    if (!view.ok()) return view.status();
    return GetResult{std::move(*view), reader.tokens()};
  }
  Result<use::Resolver> resolver =
      parts_.resolvers.create(request.resolver, request.resolver_options);
  if (!resolver.ok()) return std::move(resolver).status().with_context("get");
  ViewOptions options;
  options.annotator = &reader;
  Result<EntityView> view = entity_view(parts_.journal, request.entity, *resolver, options);
  if (!view.ok()) return view.status();
  return GetResult{std::move(*view), reader.tokens()};
}

Waits::Cancel Api::get(const Principal& by, GetRequest request, Done<GetResult> done) {
  Status refused = require(by, Role::kRead, "get");
  Result<ReadNeeds> needs =
      refused.ok() ? check(request.read, parts_.extents) : Result<ReadNeeds>(std::move(refused));
  if (!needs.ok()) {
    done(needs.status());
    return [] {};
  }
  bool pending = false;
  Result<TokensRead> now = look_at_tokens(*needs, parts_.extents, pending);
  if (!now.ok() || !pending || needs->deadline_ms == 0) {
    done(now.ok() ? view_of(request, *needs, std::move(*now)) : Result<GetResult>(now.status()));
    return [] {};
  }
  struct State {
    GetRequest request;
    ReadNeeds needs;
    Done<GetResult> done;
  };
  const auto state =
      std::make_shared<State>(State{std::move(request), std::move(*needs), std::move(done)});
  const std::uint64_t deadline_ns =
      parts_.executor.monotonic_ns() + state->needs.deadline_ms * 1'000'000;
  return waits_->wait(state->needs.deadline_ms, [this, state, deadline_ns](bool last) {
    bool waits = false;
    Result<TokensRead> tokens = look_at_tokens(state->needs, parts_.extents, waits);
    if (tokens.ok() && waits && !last) return false;
    const bool canceled = waits && parts_.executor.monotonic_ns() < deadline_ns;
    // A view may be large: it is made in a task of its own, and the other waits go on.
    parts_.executor.post([this, state, canceled, tokens = std::move(tokens)]() mutable {
      if (!tokens.ok()) return state->done(tokens.status());
      Result<GetResult> made = view_of(state->request, state->needs, std::move(*tokens));
      if (made.ok()) made->canceled = canceled;
      state->done(std::move(made));
    });
    return true;
  });
}

}  // namespace rhizome::api
