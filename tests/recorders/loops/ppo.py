"""Proximal policy optimisation, after cleanrl's `ppo.py`, of carts that ought to stay in place."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from tests.recorders.loops.witness import Witness

ENVIRONMENTS, STEPS, UPDATES, EPOCHS, MINIBATCHES = 4, 16, 4, 3, 4
RATE, GAMMA, LAMBDA, CLIP, ENTROPY, VALUE, MAX_NORM = 2.5e-3, 0.99, 0.95, 0.2, 0.01, 0.5, 0.5
TARGET_KL = 0.05


class Carts:
    """Carts on a line that are pushed to one side or the other until they have left."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(1)
        self.state = self.random.normal(0, 0.1, (ENVIRONMENTS, 2)).astype(np.float32)
        self.returns = np.zeros(ENVIRONMENTS)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[float]]:
        """Return rewards, who has left, and the returns of these."""
        self.state[:, 1] += 0.3 * (2 * actions - 1) + self.random.normal(0, 0.05, ENVIRONMENTS)
        self.state[:, 0] += 0.3 * self.state[:, 1]
        rewards = 1.0 - np.abs(self.state[:, 0])
        self.returns += rewards
        gone = np.abs(self.state[:, 0]) > 1
        ended = self.returns[gone].tolist()
        self.state[gone], self.returns[gone] = 0.0, 0.0
        return rewards, gone, ended


def network(outputs: int, gain: float) -> nn.Sequential:
    """Make three layers with orthogonal weights."""
    layers = [nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, outputs)]
    for layer in layers[::2]:
        nn.init.orthogonal_(layer.weight, gain if layer is layers[-1] else 2**0.5)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


class Agent(nn.Module):
    """An actor and a critic."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = network(1, 1.0)
        self.actor = network(2, 0.01)

    def act(self, seen: torch.Tensor, action: torch.Tensor | None = None):
        policy = Categorical(logits=self.actor(seen))
        action = policy.sample() if action is None else action
        return action, policy.log_prob(action), policy.entropy(), self.critic(seen).flatten()


def advantages_of(rewards, values, dones, last_value, last_done) -> torch.Tensor:
    """Weigh what came of each step (generalised advantage estimation)."""
    advantages, running = torch.zeros_like(rewards), torch.zeros(ENVIRONMENTS)
    for t in reversed(range(STEPS)):
        final = t == STEPS - 1
        going = 1 - (last_done if final else dones[t + 1])
        delta = rewards[t] + GAMMA * (last_value if final else values[t + 1]) * going - values[t]
        advantages[t] = running = delta + GAMMA * LAMBDA * going * running
    return advantages


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Act for a while, learn from it for some epochs, log; and again."""
    np.random.seed(1)  # noqa: NPY002 - as the original draws its minibatches
    torch.manual_seed(1)
    carts, agent = Carts(), Agent()
    optimizer = torch.optim.Adam(agent.parameters(), lr=RATE, eps=1e-5)
    recorder = watch(agent, optimizer, "run")
    row, done = 0, torch.zeros(ENVIRONMENTS)
    for update in range(UPDATES):
        optimizer.param_groups[0]["lr"] = (1 - update / UPDATES) * RATE
        steps = []
        for _ in range(STEPS):
            seen = torch.from_numpy(carts.state.copy())
            with torch.no_grad():
                action, logprob, _, value = agent.act(seen)
            rewards, gone, ended = carts.step(action.numpy())
            steps.append((seen, action, logprob, value, torch.from_numpy(rewards).float(), done))
            done = torch.from_numpy(gone).float()
            for episode in ended:  # the first ones come before any step of the optimizer
                recorder.log("charts/episodic_return", episode)
        seen, actions, logprobs, values, rewards, dones = map(torch.stack, zip(*steps, strict=True))
        with torch.no_grad():
            last_value = agent.critic(torch.from_numpy(carts.state)).flatten()
            advantages = advantages_of(rewards, values, dones, last_value, done)
        batch = (seen.view(-1, 2), actions.view(-1), logprobs.view(-1), advantages.view(-1))
        returns = (advantages + values).view(-1)
        places, fractions = np.arange(STEPS * ENVIRONMENTS), []
        for _ in range(EPOCHS):
            np.random.shuffle(places)  # noqa: NPY002
            for some in np.split(places, MINIBATCHES):
                seen, actions, logprobs, advantages = (each[some] for each in batch)
                _, new, entropy, value = agent.act(seen, actions)
                ratio = (new - logprobs).exp()
                with torch.no_grad():
                    kl = ((ratio - 1) - (new - logprobs)).mean()
                    fractions.append(((ratio - 1).abs() > CLIP).float().mean().item())
                scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
                clipped = torch.clamp(ratio, 1 - CLIP, 1 + CLIP)
                policy_loss = torch.max(-scaled * ratio, -scaled * clipped).mean()
                value_loss = 0.5 * (value - returns[some]).square().mean()
                loss = policy_loss - ENTROPY * entropy.mean() + VALUE * value_loss
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), MAX_NORM)
                witness.before_step(agent.named_parameters(), row)
                optimizer.step()
                witness.loss(loss)
                row += 1
            if kl > TARGET_KL:
                break
        recorder.log("charts/learning_rate", optimizer.param_groups[0]["lr"])
        recorder.log("losses/value_loss", value_loss.item())
        recorder.log("losses/policy_loss", policy_loss.item())
        recorder.log("losses/approx_kl", kl)
        recorder.log("losses/clipfrac", np.mean(fractions))
        unexplained = (returns - values.view(-1)).var() / returns.var()
        recorder.log("losses/explained_variance", 1 - unexplained)
