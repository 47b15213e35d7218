#include "daemon/wire/messages.h"

#include "daemon/wire/schema.h"

namespace timectl::wire {
namespace {

template <class... M>
constexpr std::array<std::string_view, sizeof...(M)> names_of(const std::variant<M...>*) {
  return {type_name<M>()...};
}

constexpr auto names = names_of(static_cast<const Message*>(nullptr));

// Calls visit(value) for every Block and every Transaction below `item`, without entering blocks.
template <class T, class F>
void visit_items(const T& item, F& visit) {
  if constexpr (std::is_same_v<T, Block> || std::is_same_v<T, Transaction>) {
    visit(item);
  } else if constexpr (Optional<T>) {
    if (item) visit_items(*item, visit);
  } else if constexpr (ListOfItems<T>) {
    for (const auto& element : item) visit_items(element, visit);
  } else if constexpr (Described<T>) {
    for_each_member<T>([&](auto member) { visit_items(item.*decltype(member)::pointer, visit); });
  }
}

}  // namespace

std::string_view message_name(std::size_t index) {
  return index < names.size() ? names[index] : std::string_view{};
}

std::size_t message_index(std::string_view name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

bool carries_blocks(std::size_t index) {
  return index == 7 || index == 9 || index == 20 || index == 23 || index == 50 || index == 61;
}

std::vector<const Block*> blocks_of(const Message& message) {
  std::vector<const Block*> blocks;
  auto visit = [&]<class T>(const T& item) {
    if constexpr (std::is_same_v<T, Block>) blocks.push_back(&item);
  };
  std::visit([&](const auto& alternative) { visit_items(alternative, visit); }, message);
  return blocks;
}

std::vector<const Transaction*> transactions_of(const Message& message) {
  std::vector<const Transaction*> transactions;
  auto visit = [&]<class T>(const T& item) {
    if constexpr (std::is_same_v<T, Transaction>) transactions.push_back(&item);
  };
  std::visit([&](const auto& alternative) { visit_items(alternative, visit); }, message);
  return transactions;
}

}  // namespace timectl::wire
