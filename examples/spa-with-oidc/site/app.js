// The page has no token, and needs none: the browser sends the session's cookie, the gateway tells the API who it is.
const show = (id) => document.getElementById(id).removeAttribute("hidden");
const answer = await fetch("/api/me");
if (answer.status === 401) {
  document.getElementById("who").textContent = "Nobody is signed in.";
  document.getElementById("login").href = `/login?returnUrl=${encodeURIComponent(location.pathname + location.search)}`;
  show("login");
} else {
  document.getElementById("who").textContent = `Hello ${(await answer.json()).user}.`;
  show("logout");
}
document.body.dataset.ready = "true";
