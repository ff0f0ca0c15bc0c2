package fleet_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// The manifests decode strictly into Kubernetes' own types, ask for what restricted
// pod security wants, mount what their command lines name, and fit together.
func TestKubernetes(t *testing.T) {
	text, err := os.ReadFile("../../contrib/kubernetes/fleet.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var workers appsv1.Deployment
	var submit batchv1.CronJob
	var network networkingv1.NetworkPolicy
	var budget policyv1.PodDisruptionBudget
	into := []any{&workers, &submit, &network, &budget}
	documents := bytes.Split(text, []byte("\n---\n"))
	if len(documents) != len(into) {
		t.Fatalf("%d documents", len(documents))
	}
	for i, doc := range documents {
		if err := yaml.UnmarshalStrict(doc, into[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"apps/v1 Deployment", "batch/v1 CronJob", "networking.k8s.io/v1 NetworkPolicy", "policy/v1 PodDisruptionBudget"} {
		got := []string{workers.APIVersion + " " + workers.Kind, submit.APIVersion + " " + submit.Kind, network.APIVersion + " " + network.Kind, budget.APIVersion + " " + budget.Kind}[i]
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	pods := []corev1.PodTemplateSpec{workers.Spec.Template, submit.Spec.JobTemplate.Spec.Template}
	for _, p := range pods {
		restricted(t, p.Spec)
		mounted(t, p.Spec)
		runs(t, p.Spec.Containers[0])
		if !selects(network.Spec.PodSelector.MatchLabels, p.Labels) {
			t.Errorf("the network policy leaves out %v", p.Labels)
		}
	}
	for what, labels := range map[string]map[string]string{"the deployment": workers.Spec.Selector.MatchLabels, "the budget": budget.Spec.Selector.MatchLabels} {
		if !selects(labels, workers.Spec.Template.Labels) || selects(labels, pods[1].Labels) {
			t.Errorf("%s selects %v", what, labels)
		}
	}
	if len(network.Spec.PolicyTypes) != 2 || len(network.Spec.Ingress) != 1 || len(network.Spec.Egress) != 3 || *workers.Spec.Replicas < 2 || len(strings.Fields(submit.Spec.Schedule)) != 5 {
		t.Errorf("policy %+v", network.Spec)
	}
}

func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

func restricted(t *testing.T, p corev1.PodSpec) {
	c := p.Containers[0]
	s := c.SecurityContext
	if !*p.SecurityContext.RunAsNonRoot || p.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || *p.AutomountServiceAccountToken ||
		*s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Contains(s.Capabilities.Drop, "ALL") {
		t.Errorf("%s: restricted pod security would not let it run", c.Name)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
		t.Errorf("%s: resources %v", c.Name, c.Resources)
	}
}

// mounted checks that the absolute paths on the command line and in the
// environment lie in volumes.
func mounted(t *testing.T, p corev1.PodSpec) {
	c := p.Containers[0]
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		volumes[v.Name] = true
	}
	var places []string
	for _, m := range c.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("%s: no volume %s", c.Name, m.Name)
		}
		places = append(places, m.MountPath)
	}
	named := []string{}
	for _, a := range c.Args {
		if _, path, ok := strings.Cut(a, "=/"); ok {
			named = append(named, "/"+path)
		}
	}
	for _, e := range c.Env {
		if strings.HasPrefix(e.Value, "/") {
			named = append(named, e.Value)
		}
	}
	if !slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "--tmp=/") }) {
		t.Errorf("%s: what is much is spilled to the root, which cannot be written", c.Name)
	}
	for _, name := range named {
		if !slices.ContainsFunc(places, func(place string) bool { return name == place || strings.HasPrefix(name, place+"/") }) {
			t.Errorf("%s: nothing is mounted at %s", c.Name, name)
		}
	}
}

// runs checks that the program knows the flags.
func runs(t *testing.T, c corev1.Container) {
	help := newHost(t, "").run([]int{0}, append(slices.Clone(c.Args[:2]), "--help")...)
	for _, a := range c.Args[2:] {
		name, _, _ := strings.Cut(a, "=")
		if strings.HasPrefix(name, "--") && !strings.Contains(help, name+" ") {
			t.Errorf("%s: no flag %s", c.Name, name)
		}
	}
}
