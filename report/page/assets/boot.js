// What the scripts of the page share.
const netlab = {data: JSON.parse(document.getElementById("data").textContent)};

// What is folded is printed too. This comes first, so that charts in it are drawn.
addEventListener("beforeprint", () => {
	for (const d of document.querySelectorAll("details.block")) d.open = true;
});
