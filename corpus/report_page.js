(function () {
  var box = document.querySelector(".sieve");
  if (!box) return;
  var field = box.querySelector("input"), said = box.querySelector("output");
  var cards = Array.prototype.slice.call(document.querySelectorAll("#read .card"));
  box.hidden = false;
  field.addEventListener("input", function () {
    var wanted = field.value.trim().toLowerCase(), count = 0;
    cards.forEach(function (card) {
      card.hidden = wanted !== "" && card.textContent.toLowerCase().indexOf(wanted) < 0;
      if (!card.hidden) count += 1;
    });
    said.textContent = wanted ? count + " of " + cards.length + " samples" : "";
  });
})();
