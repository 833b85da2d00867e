// Copies what a button names (a text, an element's, or what stands at an address of ours), and says that it was done. The
// buttons show only where a script can copy.
(() => {
  if (!navigator.clipboard) return;
  document.documentElement.dataset.copies = "yes";
  const fetched = async (url) => {
    const answer = await fetch(url, { redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  };
  const textOf = ({ copy, copyFrom, copyUrl }) => {
    if (copyUrl) return fetched(copyUrl);
    return copyFrom ? document.getElementById(copyFrom).textContent.trim() : copy;
  };
  const heard = document.getElementById("copied"); // the mark on the button is for those who see it
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-url]");
    if (!button) return;
    await navigator.clipboard.writeText(await textOf(button.dataset));
    button.dataset.done = "yes";
    if (heard) heard.textContent = heard.dataset.word;
    setTimeout(() => {
      delete button.dataset.done;
      if (heard) heard.textContent = "";
    }, 2000);
  });
})();
