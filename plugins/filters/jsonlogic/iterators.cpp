// map, filter, reduce, all, some, none. Each item stands two frames below its surroundings; the
// frame between holds the item's index. See evaluate.hpp.
#include "evaluate.hpp"

namespace rhizome::jsonlogic {

bool Evaluator::iterate(const Node& node, const Frame& frame, Value* out) {
  Value list;
  if (!child(node, 0, frame, &list)) return false;
  if (node.op == Op::kMap || node.op == Op::kFilter) {
    if (list.is_null()) {
      *out = Value::array(nullptr, 0);
      return true;
    }
    return list.is_array() ? transform(node, list, frame, out) : fail(kInvalidArguments);
  }
  return list.is_array() ? quantify(node, list, frame, out) : fail(kInvalidArguments);
}

bool Evaluator::transform(const Node& node, const Value& list, const Frame& frame, Value* out) {
  const std::uint32_t size = array_size(list);
  Value* items = arena_.make<Value>(size);
  if (items == nullptr) return no_memory();
  Frame index{Value(), &frame};
  Frame item{Value(), &index};
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    index.value = Value::index(i);
    item.value = array_at(list, i);
    Value result;
    if (!child(node, 1, item, &result)) return false;
    if (node.op == Op::kMap)
      items[kept++] = result;
    else if (truthy(result))
      items[kept++] = item.value;
  }
  *out = Value::array(items, kept);
  return true;
}

bool Evaluator::quantify(const Node& node, const Value& list, const Frame& frame, Value* out) {
  const std::uint32_t size = array_size(list);
  const bool stops_at = node.op != Op::kAll;  // the result that decides
  Frame index{Value(), &frame};
  Frame item{Value(), &index};
  for (std::uint32_t i = 0; i < size; ++i) {
    index.value = Value::index(i);
    item.value = array_at(list, i);
    Value result;
    if (!child(node, 1, item, &result)) return false;
    if (truthy(result) != stops_at) continue;
    *out = Value::of(node.op == Op::kSome);
    return true;
  }
  *out = Value::of(node.op == Op::kNone || (node.op == Op::kAll && size != 0));
  return true;
}

bool Evaluator::reduce(const Node& node, const Frame& frame, Value* out) {
  Value list;
  if (!child(node, 0, frame, &list)) return false;
  if (!list.is_null() && !list.is_array()) return fail(kInvalidArguments);
  const std::uint32_t size = list.is_null() ? 0 : array_size(list);
  std::uint32_t i = 0;
  *out = Value();
  if (node.count > 2) {
    if (!child(node, 2, frame, out)) return false;
  } else if (size != 0) {
    *out = array_at(list, i++);
  }
  Frame index{Value(), &frame};
  Frame step{Value(), &index};
  for (; i < size; ++i) {
    // Made anew for each step: the result may be this very object.
    Member* members = arena_.make<Member>(2);
    if (members == nullptr) return no_memory();
    members[0] = {"current", array_at(list, i)};
    members[1] = {"accumulator", *out};
    index.value = Value::index(i);
    step.value = Value::object(members, 2);
    if (!child(node, 1, step, out)) return false;
  }
  return true;
}

}  // namespace rhizome::jsonlogic
